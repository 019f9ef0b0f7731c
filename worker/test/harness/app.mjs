// An app in our own hands that speaks the protocol as an SDK would, and notes what it ran. What it answers is decided by the
// steps that the call carries, so that a call that comes twice is answered the same.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const sha1 = (name) => createHash("sha1").update(name).digest("hex");
const HEADERS = { "content-type": "application/json", "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" };

/** Its functions: what each answers to a call that carries so many steps. */
const FUNCTIONS = {
  /** `data.steps` steps, one after another; the body of `data.hold` waits for `release`. */
  steps: async (app, call, data) => {
    const place = done(call);
    if (place < data.steps) return step(app, call, `s${place}`, data);
    app.ended.add(data.key);
    return { status: 200, body: { steps: place } };
  },
  /** A step, a sleep of `data.for`, and a step. */
  sleeper: async (app, call, data) => {
    const place = done(call);
    if (place === 0) return step(app, call, "before", data);
    if (place === 1) return op({ op: "Sleep", id: sha1("nap"), name: data.for ?? data.until, displayName: "nap", opts: {}, data: null });
    if (place === 2) return step(app, call, "after", data);
    return { status: 200, body: "woken" };
  },
  /** A sleep and nothing else. */
  nap: async (app, call, data) => {
    if (done(call) === 0) return op({ op: "Sleep", id: sha1("nap"), name: data.until, displayName: "nap", opts: {}, data: null });
    app.woken.push({ run: call.ctx.run_id, at: Date.now(), due: Date.parse(data.until) });
    return { status: 200, body: "woken" };
  },
  /** A wait for `wake` with the same key, and a step. */
  waiter: async (app, call, data) => {
    const place = done(call);
    if (place === 0) {
      const opts = { timeout: "1h", if: "event.data.key == async.data.key" };
      return op({ op: "WaitForEvent", id: sha1("wake"), name: "t/wake", displayName: "wake", opts, data: null });
    }
    if (place === 1) return step(app, call, "after", data);
    return { status: 200, body: call.steps[sha1("wake")] ?? null };
  },
};

function done(call) {
  return call.ctx.stack.stack.length;
}

function op(made) {
  return { status: 206, body: [{ userland: { id: made.displayName }, ...made }] };
}

async function step(app, call, name, data) {
  const run = call.ctx.run_id;
  app.executions.push({ run, step: name, at: Date.now() });
  if (data.hold === name && !app.released) {
    app.held.push({ run, step: name });
    await app.gate;
  }
  app.returned += 1;
  return op({ op: "StepRun", id: sha1(name), name, displayName: name, opts: {}, data: { name, filler: "x".repeat(data.bytes ?? 0) } });
}

export class App {
  /** Bodies of steps that began, in order. */
  executions = [];
  /** Bodies that wait for `release`. */
  held = [];
  /** Sleeps that ended: run, when the app heard of it, when it was due. */
  woken = [];
  /** Runs of `steps` that have returned, by their `data.key`. */
  ended = new Set();
  /** Runs by the clock: function, run, the time that was scheduled, when it was called. */
  ticks = [];
  /** Bodies that have returned. */
  returned = 0;
  /** Calls that came. */
  calls = 0;
  released = false;
  #server;
  #release;
  #crons = 0;

  /** Starts one and registers it, with so many functions that run every minute. */
  static async start(t, server, { crons = 0 } = {}) {
    const app = new App();
    app.#crons = crons;
    app.gate = new Promise((resolve) => (app.#release = resolve));
    app.#server = createServer((request, response) => void app.#serve(request, response));
    await new Promise((resolve) => app.#server.listen(0, "127.0.0.1", resolve));
    app.origin = `http://127.0.0.1:${app.#server.address().port}`;
    t.after(() => {
      app.release();
      app.#server.closeAllConnections();
      app.#server.close();
    });
    const answer = await app.register(server);
    if (answer.status !== 200) throw new Error(`registration: ${answer.status} ${JSON.stringify(answer.json)}`);
    return app;
  }

  async register(server) {
    const made = (name, trigger) => {
      const url = `${this.origin}/api/inngest?fnId=t-${name}&stepId=step`;
      return { id: `t-${name}`, name, triggers: [trigger], steps: { step: { id: "step", name: "step", retries: { attempts: 4 }, runtime: { type: "http", url } } } };
    };
    const functions = [
      ...Object.keys(FUNCTIONS).map((name) => made(name, { event: `t/${name}` })),
      ...Array.from({ length: this.#crons }, (_, place) => made(`cron${place}`, { cron: "* * * * *" })),
    ];
    return server.ask("POST", "/fn/register", {
      url: `${this.origin}/api/inngest`, deployType: "ping", framework: "raw", appName: "t", sdk: "js:v4.24.0", v: "0.1", functions,
    });
  }

  /** Lets those go on that are held, and holds nobody any more. */
  release() {
    this.released = true;
    this.#release();
  }

  /** How often each step of a run began. */
  ran(run) {
    const counts = {};
    for (const { step } of this.executions.filter((one) => one.run === run)) counts[step] = (counts[step] ?? 0) + 1;
    return counts;
  }

  async #serve(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const name = new URL(request.url, this.origin).searchParams.get("fnId").slice("t-".length);
    this.calls += 1;
    const call = JSON.parse(Buffer.concat(parts).toString());
    const { status, body } = name.startsWith("cron") ? this.#tick(name, call) : await FUNCTIONS[name](this, call, call.event.data);
    response.writeHead(status, HEADERS).end(JSON.stringify(body));
  }

  #tick(name, { ctx, event }) {
    this.ticks.push({ name, run: ctx.run_id, scheduled: event.data.scheduledAt, at: Date.now() });
    return { status: 200, body: "ticked" };
  }
}
