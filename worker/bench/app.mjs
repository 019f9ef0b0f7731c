// The app that both are measured with: each step is a call to it. It does nothing in a step, and notes when it was called and
// when it answered. A Stepwell server calls it as it calls an SDK; a Workflow fetches the same step with the same body.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const HEADERS = { "content-type": "application/json", "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" };
const PATH = "/api/inngest";
/** What a step gives: small, and the same for both. */
const RESULT = { done: true };

export class App {
  #server;
  /** By key of a run: when each of its steps was called and answered, in ms. */
  #visits = new Map();
  #ended = new Map();
  /** Steps that were answered. */
  steps = 0;

  static async start() {
    const app = new App();
    app.#server = createServer((request, response) => void app.#serve(request, response));
    // One that is idle is asked again without a new connection.
    app.#server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => app.#server.listen(0, "127.0.0.1", resolve));
    app.origin = `http://127.0.0.1:${app.#server.address().port}`;
    return app;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** As an SDK registers itself. */
  get registration() {
    const url = `${this.origin}${PATH}`;
    const steps = { step: { id: "step", name: "step", retries: { attempts: 4 }, runtime: { type: "http", url: `${url}?fnId=bench-steps&stepId=step` } } };
    const functions = [{ id: "bench-steps", name: "steps", triggers: [{ event: "bench/steps" }], steps }];
    return { url, deployType: "ping", framework: "raw", appName: "bench", sdk: "js:v4.24.0", v: "0.1", functions };
  }

  /** The visits of a run when its last step has been answered; asked for before the run is started. */
  over(key) {
    this.#visits.set(key, []);
    return new Promise((resolve) => this.#ended.set(key, resolve));
  }

  async #serve(request, response) {
    const called = performance.now();
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = JSON.parse(Buffer.concat(parts).toString());
    if (request.url.startsWith(PATH)) this.#answerServer(body, called, response);
    else this.#answerWorkflow(body, called, response);
  }

  #answerServer(call, called, response) {
    const { key, steps } = call.event.data;
    const step = call.ctx.stack.stack.length;
    if (step === steps) {
      response.writeHead(200, HEADERS).end(JSON.stringify(RESULT));
      return;
    }
    const name = `s${step}`;
    const op = { op: "StepRun", id: createHash("sha1").update(name).digest("hex"), name, displayName: name, userland: { id: name }, opts: {}, data: RESULT };
    response.writeHead(206, HEADERS).end(JSON.stringify([op]));
    this.#note(key, step, steps, called);
  }

  #answerWorkflow({ key, step, steps }, called, response) {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(RESULT));
    this.#note(key, step, steps, called);
  }

  #note(key, step, steps, called) {
    this.steps += 1;
    const visits = this.#visits.get(key);
    // A step of a run that nobody asks about any more, or one that was called again.
    if (visits === undefined || visits[step] !== undefined) return;
    visits[step] = { called, answered: performance.now() };
    if (step < steps - 1) return;
    this.#visits.delete(key);
    const end = this.#ended.get(key);
    this.#ended.delete(key);
    end(visits);
  }
}
