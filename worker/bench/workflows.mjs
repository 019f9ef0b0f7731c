// Cloudflare Workflows as miniflare runs them, in the workerd that Stepwell is measured in.

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { COMPATIBILITY_DATE } from "../bundle.mjs";
import { Client } from "./client.mjs";
import { children, cpuMs } from "./process.mjs";

/** A step is a fetch of the app, or nothing where there is none. */
const SCRIPT = `
import { WorkflowEntrypoint } from "cloudflare:workers";

export class Steps extends WorkflowEntrypoint {
  async run({ payload: { key, steps, app, end } }, step) {
    for (let place = 0; place < steps; place += 1) {
      await step.do("s" + place, async () => {
        if (app === undefined) return { done: true };
        const answer = await fetch(app, { method: "POST", body: JSON.stringify({ key, step: place, steps }) });
        return answer.json();
      });
    }
    if (end !== undefined) await fetch(end, { method: "POST", body: JSON.stringify({ key, step: 0, steps: 1 }) });
    return { done: true };
  }
}

export default {
  async fetch(request, env) {
    const made = await env.STEPS.create({ params: await request.json() });
    const answer = Response.json({ id: made.id });
    made[Symbol.dispose]?.();
    return answer;
  },
};
`;

export class Workflows {
  name = "Workflows";
  #miniflare;
  #client;
  #pid;

  static async start({ workerd, dir, app }) {
    // Not the one that miniflare brings along.
    process.env.MINIFLARE_WORKERD_PATH = workerd;
    const { Log, LogLevel, Miniflare } = createRequire(join(import.meta.dirname, "../tools/package.json"))("miniflare");
    const made = new Workflows();
    const data = join(dir, "workflows");
    mkdirSync(data);
    const before = children(process.pid);
    made.#miniflare = new Miniflare({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      // It warns of stubs that miniflare's own Workers do not dispose of.
      handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.resume()),
      defaultPersistRoot: data,
      workflowsPersist: data,
      modules: true,
      script: SCRIPT,
      compatibilityDate: COMPATIBILITY_DATE,
      workflows: { STEPS: { name: "steps", className: "Steps" } },
    });
    const url = await made.#miniflare.ready;
    made.#pid = children(process.pid).find((pid) => !before.includes(pid));
    made.#client = new Client(url.origin, 64);
    made.app = `${app.origin}/work`;
    return made;
  }

  /** A new instance, until it is durable. */
  async begin({ key, steps }) {
    await this.#client.post("/", { key, steps, app: this.app });
  }

  /** One whose steps are nothing but its own; it tells the app when it is over. */
  async beginAlone({ key, steps }) {
    await this.#client.post("/", { key, steps, end: this.app });
  }

  cpuMs() {
    return cpuMs(this.#pid);
  }

  async stop() {
    this.#client.close();
    await this.#miniflare.dispose();
  }
}
