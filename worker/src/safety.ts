// The safety net for alarms: a cron trigger looks whether those are set that are needed. Alarms are at least once, so that this is
// for what should not happen.

import { type Env, home } from "./address.js";
import { NUDGED_RUNS_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import { answer } from "./requests.js";
import { shards } from "./settings.js";

/** As many as a page of runs may hold. */
const PAGE = 100;
/** At once: the platform allows six connections, and objects are not to be woken all together. */
const AT_ONCE = 6;

/** Looks after the objects that everybody needs, and after the newest runs that are not over. */
export async function lookAfterAlarms(env: Env, ctx: ExecutionContext): Promise<void> {
  const sharded = Array.from({ length: shards(env) ?? 1 }, (_, shard) => [`stream/${shard}`, `history/${shard}`]);
  const names = ["catalog/0", ...sharded.flat(), ...(await running(env, ctx))];
  const one = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const actor = name;
      await home(env, actor).nudge().catch((error: unknown) => log("warn", "an object could not be looked after", { actor, cause: cause(error) }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function running(env: Env, ctx: ExecutionContext): Promise<string[]> {
  const found: string[] = [];
  let cursor = "";
  for (let seen = 0; seen < NUDGED_RUNS_MAX; seen += PAGE) {
    // As anybody may ask who has the key.
    const headers = env.STEPWELL_SIGNING_KEY ? { authorization: `Bearer ${env.STEPWELL_SIGNING_KEY}` } : {};
    const request = new Request(`https://stepwell/v1/runs?limit=${PAGE}${cursor === "" ? "" : `&cursor=${cursor}`}`, { headers });
    const response = await answer(request, env, ctx);
    if (response.status !== 200) {
      log("warn", "the runs could not be listed, to look after their alarms", { status: response.status });
      break;
    }
    const page = (await response.json()) as { data: { run_id: string; status: string }[] };
    found.push(...page.data.filter(({ status }) => status === "Running" || status === "RUNNING").map(({ run_id }) => `run/${run_id}`));
    const last = page.data.at(-1);
    if (last === undefined || page.data.length < PAGE) break;
    cursor = last.run_id;
  }
  return found;
}
