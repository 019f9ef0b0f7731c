// Stepwell as it is deployed, under a bare workerd.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../test/harness/server.mjs";
import { until } from "../test/harness/wait.mjs";
import { Client } from "./client.mjs";
import { cpuMs } from "./process.mjs";

export class Stepwell {
  name = "Stepwell";
  #process;
  #client;

  /** `dist` is the built Worker, `dir` where its objects are. */
  static async start({ workerd, dist, dir, app }) {
    const made = new Stepwell();
    const data = join(dir, "stepwell");
    mkdirSync(data);
    const port = await freePort();
    const log = openSync(join(dir, "stepwell.log"), "w");
    const args = ["serve", join(dist, "workerd.capnp"), `--socket-addr=http=127.0.0.1:${port}`, `--directory-path=data=${data}`];
    // Nothing of the developer's settings.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STEPWELL_")));
    const started = spawn(workerd, args, { stdio: ["ignore", log, log], env: { ...env, STEPWELL_KIND: "dev" } });
    closeSync(log);
    made.#process = started;
    made.#client = new Client(`http://127.0.0.1:${port}`, 64);
    try {
      await until("workerd answers", async () => {
        if (started.exitCode !== null) throw new Error(`workerd left: ${readFileSync(join(dir, "stepwell.log"), "utf8")}`);
        return fetch(`http://127.0.0.1:${port}/health`).then(({ status }) => status === 200, () => false);
      });
      await made.#client.post("/fn/register", app.registration);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  /** An event that starts a run, until it is durable. */
  async begin({ key, steps }) {
    await this.send([{ name: "bench/steps", data: { key, steps } }]);
  }

  /** Events, until they are durable. */
  async send(events) {
    await this.#client.post("/e/bench", events);
  }

  cpuMs() {
    return cpuMs(this.#process.pid);
  }

  async stop() {
    this.#client.close();
    if (this.#process.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await gone;
  }
}
