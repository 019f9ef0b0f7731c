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

/** Looks after the objects that everybody needs, after those of schedules, and after the newest runs that are not over. */
export async function lookAfterAlarms(env: Env, ctx: ExecutionContext): Promise<void> {
  const sharded = Array.from({ length: shards(env) ?? 1 }, (_, shard) => [`stream/${shard}`, `history/${shard}`]);
  const names = ["catalog/0", ...sharded.flat(), ...(await scheduled(env, ctx)), ...(await running(env, ctx))];
  const one = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const actor = name;
      await home(env, actor).nudge().catch((error: unknown) => log("warn", "an object could not be looked after", { actor, cause: cause(error) }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** The schedules' objects; the catalog does not have them look for themselves whenever its own object is made anew. */
async function scheduled(env: Env, ctx: ExecutionContext): Promise<string[]> {
  const told = await read<{ functions: { slug: string; triggers: { cron?: string }[] }[] }>(env, ctx, "/dev");
  const functions = told?.functions ?? [];
  return functions.filter(({ triggers }) => triggers.some(({ cron }) => cron !== undefined)).map(({ slug }) => `cron/${slug}`);
}

async function running(env: Env, ctx: ExecutionContext): Promise<string[]> {
  const found: string[] = [];
  let cursor = "";
  for (let seen = 0; seen < NUDGED_RUNS_MAX; seen += PAGE) {
    const page = await read<{ data: { run_id: string; status: string }[] }>(env, ctx, `/v1/runs?limit=${PAGE}${cursor === "" ? "" : `&cursor=${cursor}`}`);
    if (page === undefined) break;
    found.push(...page.data.filter(({ status }) => status === "Running" || status === "RUNNING").map(({ run_id }) => `run/${run_id}`));
    const last = page.data.at(-1);
    if (last === undefined || page.data.length < PAGE) break;
    cursor = last.run_id;
  }
  return found;
}

/** As anybody may read who has the key. */
async function read<T>(env: Env, ctx: ExecutionContext, path: string): Promise<T | undefined> {
  const headers = env.STEPWELL_SIGNING_KEY ? { authorization: `Bearer ${env.STEPWELL_SIGNING_KEY}` } : {};
  const response = await answer(new Request(`https://stepwell${path}`, { headers }), env, ctx);
  if (response.status === 200) return response.json();
  log("warn", "objects could not be listed, to look after their alarms", { path, status: response.status });
  return undefined;
}
