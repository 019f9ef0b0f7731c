// Handing an answer to the object of its run.

import { type Env, home } from "./address.js";
import { catalog } from "./catalog.js";
import type { actors } from "./engine.js";
import { HAND_OVER_AGAIN_MS, HAND_OVERS_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import type { Delivered } from "./object.js";

/** Hands it over, and again where the object was lost meanwhile: a deployment or an eviction is no reason to run a step twice. One that
 * had been taken in before is recognised. */
export async function handOver(env: Env, run: string, outcome: actors.CallOutcome): Promise<Delivered> {
  for (let time = 1; ; time += 1) {
    try {
      return await home(env, run).deliver(run, { tag: "answered", outcome }, catalog().version);
    } catch (error) {
      if (time >= HAND_OVERS_MAX) throw error;
      log("warn", "an answer did not arrive; it is handed over again", { actor: run, call: outcome.id, cause: cause(error) });
      await new Promise((resolve) => setTimeout(resolve, HAND_OVER_AGAIN_MS * time));
    }
  }
}
