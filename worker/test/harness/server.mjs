// The Worker of the tests under a bare workerd, with a directory and a port of its own, which it keeps when it is started again.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./wait.mjs";

/** In memory where the system has such a place: what a disk takes to be flushed is not what is tested. */
const ROOM = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const WORKER = join(import.meta.dirname, "../..");
const WORKERD = join(WORKER, "node_modules/workerd/bin/workerd");
/** Short, so that no test waits long for a call or a turn that was lost. */
const USUAL = { STEPWELL_KIND: "dev", STEPWELL_RETRY_INTERVAL_MS: "100", STEPWELL_LEASE_MS: "2000" };
const LOG_CHARACTERS_SHOWN = 6_000;

/** A port that was free a moment ago. */
export async function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Server {
  #process;
  #env;

  /** Starts one; `env` are more settings. It is stopped when the test `t` is over. */
  static async start(t, env = {}) {
    const server = new Server();
    server.dir = mkdtempSync(join(ROOM, "stepwell-worker-"));
    mkdirSync(join(server.dir, "data"));
    server.port = await freePort();
    server.origin = `http://127.0.0.1:${server.port}`;
    server.#env = { ...USUAL, ...env };
    t.after(async () => {
      await server.kill();
      if (!t.passed) console.error(`--- the end of the server's log\n${server.log().slice(-LOG_CHARACTERS_SHOWN)}`);
      rmSync(server.dir, { recursive: true, force: true });
    });
    await server.launch();
    return server;
  }

  /** Starts it, or starts it again. */
  async launch() {
    const log = openSync(join(this.dir, "server.log"), "a");
    const dist = process.env.STEPWELL_WORKER_TEST_DIST ?? join(WORKER, "dist-test");
    const args = ["serve", join(dist, "workerd.capnp"), `--socket-addr=http=127.0.0.1:${this.port}`, `--directory-path=data=${join(this.dir, "data")}`];
    // Nothing of the developer's settings.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STEPWELL_")));
    this.#process = spawn(WORKERD, args, { stdio: ["ignore", log, log], env: { ...env, ...this.#env } });
    closeSync(log);
    const started = this.#process;
    await until("workerd answers", async () => {
      if (started.exitCode !== null) throw new Error(`workerd left with ${started.exitCode}: ${this.log()}`);
      return fetch(`${this.origin}/health`).then(({ status }) => status === 200 || status === 500, () => false);
    });
  }

  /** SIGKILL, and the certainty that it is gone. */
  async kill() {
    const running = this.#process;
    if (running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await gone;
  }

  get pid() {
    return this.#process.pid;
  }

  /** The CPU time that workerd has used, as Linux counts it. */
  cpuMs() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  log() {
    return readFileSync(join(this.dir, "server.log"), "utf8");
  }

  /** What it logged, line by line, as far as it is ours. */
  logged() {
    return this.log().split("\n").flatMap((line) => {
      const start = line.indexOf("{");
      try {
        return start < 0 ? [] : [JSON.parse(line.slice(start))];
      } catch {
        return [];
      }
    });
  }

  /** Any request; the status and the body as JSON. */
  async ask(method, path, body) {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(`${this.origin}${path}`, init);
    const text = await response.text();
    return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
  }

  /** What is under `data` of an answer that must be a 200. */
  async data(path) {
    const { status, json } = await this.ask("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(json)}`);
    return json.data;
  }

  /** Sends events; their ids. */
  async send(events) {
    const { status, json } = await this.ask("POST", "/e/key", events);
    if (status !== 200) throw new Error(`events: ${status} ${JSON.stringify(json)}`);
    return json.ids;
  }

  /** The run that an event starts. */
  async runOf(event) {
    return until(`event ${event} starts a run`, async () => (await this.data(`/v1/events/${event}/runs`))[0]?.run_id);
  }

  /** Starts a run and gives its id. */
  async begin(name, data = {}) {
    const [event] = await this.send({ name, data });
    return this.runOf(event);
  }

  /** The run once it is over. */
  async over(run) {
    return until(`run ${run} ends`, async () => {
      const summary = await this.data(`/v1/runs/${run}?wait_ms=5000`);
      return ["Completed", "Failed", "Cancelled"].includes(summary.status) && summary;
    });
  }

  /** A command of the probe. */
  async probe(command, given) {
    const { status, json } = await this.ask(given === undefined ? "GET" : "POST", `/_probe/${command}`, given);
    if (status !== 200) throw new Error(`probe ${command}: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  /** Orders traps. */
  async trap(part, call, { after = false, times = 1 } = {}) {
    await this.probe("trap", { part, call, after, times });
  }
}
