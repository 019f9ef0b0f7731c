// Settings, from variables and secrets of the Worker.

import type { Env } from "./address.js";
import { SHARDS_MAX, SLOW_CALL_MS } from "./limits.js";
import { type actors, type ledgers, withLedgers } from "./engine.js";

export const VERSION = "0.1.0";

/** Signing keys as the user wrote them, event keys separated by commas. Without `STEPWELL_KIND=dev` keys are required. */
export function settings(env: Env): actors.Settings {
  const given = (value: string | null | undefined): string[] => (value ? [value] : []);
  const base = {
    kind: env.STEPWELL_KIND === "dev" ? ("dev" as const) : ("cloud" as const),
    signingKeys: [...given(env.STEPWELL_SIGNING_KEY), ...given(env.STEPWELL_SIGNING_KEY_FALLBACK)],
    eventKeys: (env.STEPWELL_EVENT_KEYS ?? "").split(",").map((key) => key.trim()).filter((key) => key !== ""),
    cronCatchUp: catchUp(env.STEPWELL_CRON_CATCH_UP),
    shards: shards(env) ?? 1,
    privateAddresses: false,
    version: VERSION,
  };
  const [backlog, callsPerApp] = [limit(env.STEPWELL_BACKLOG_LIMIT), limit(env.STEPWELL_CALLS_PER_APP)];
  return {
    ...base,
    ...(env.STEPWELL_RETRY_INTERVAL_MS ? { retryIntervalMs: BigInt(env.STEPWELL_RETRY_INTERVAL_MS) } : {}),
    ...(backlog ? { backlogMax: backlog } : {}),
    ...(callsPerApp ? { callsPerAppMax: callsPerApp } : {}),
    ...(env.STEPWELL_WAIT_LOOK_BACK_MS ? { waitLookBackMs: BigInt(env.STEPWELL_WAIT_LOOK_BACK_MS) } : {}),
  };
}

/** Shards of streams and histories: one where nothing else is said; undefined where what is said is no number of shards. */
export function shards(env: Env): number | undefined {
  const said = Number(env.STEPWELL_SHARDS ?? 1);
  return Number.isInteger(said) && said >= 1 && said <= SHARDS_MAX ? said : undefined;
}

/** A limit, where 0 and nothing are none; undefined where what is said is no limit. */
function limit(given: string | null | undefined): number | undefined {
  const said = Number(given ?? 0);
  return Number.isInteger(said) && said >= 0 && said <= 0xffff_ffff ? said : undefined;
}

/** Of the times of a schedule that were missed: none, the last where nothing else is said, or all. */
function catchUp(given: string | null | undefined): actors.Settings["cronCatchUp"] {
  return given === "none" || given === "all" ? given : "last";
}

let usual: ledgers.Policy | undefined;

/** The home's choices: the ledger's own, but for the lease where it is set: nothing is tried again later than that. */
export function policy(env: Env): ledgers.Policy {
  usual ??= withLedgers((exports) => exports.defaultPolicy());
  if (!env.STEPWELL_LEASE_MS) return usual;
  const leaseMs = BigInt(env.STEPWELL_LEASE_MS);
  const least = (usual: bigint): bigint => (leaseMs < usual ? leaseMs : usual);
  return { ...usual, leaseMs, renewMs: leaseMs / 3n, failureMs: least(usual.failureMs), resendMsMin: least(usual.resendMsMin) };
}

/** At which age of an invocation its calls go to carriers. */
export function slowCallMs(env: Env): number {
  return env.STEPWELL_SLOW_CALL_MS ? Number(env.STEPWELL_SLOW_CALL_MS) : SLOW_CALL_MS;
}

/** What is missing before requests may be served, if anything is: a server without keys would be open to everybody. */
export function fault(env: Env): string | undefined {
  if (shards(env) === undefined) return `STEPWELL_SHARDS must be a whole number from 1 to ${SHARDS_MAX}, and stay what it was`;
  if (limit(env.STEPWELL_BACKLOG_LIMIT) === undefined) return "STEPWELL_BACKLOG_LIMIT must be a whole number of runs, or 0 for no limit";
  if (limit(env.STEPWELL_CALLS_PER_APP) === undefined) return "STEPWELL_CALLS_PER_APP must be a whole number of calls, or 0 for no limit";
  const made = settings(env);
  if (made.kind === "dev") return undefined;
  if (made.signingKeys.length === 0) return "set the secret STEPWELL_SIGNING_KEY, or STEPWELL_KIND=dev for a server without keys";
  if (made.eventKeys.length === 0) return "set the secret STEPWELL_EVENT_KEYS, or STEPWELL_KIND=dev for a server without keys";
  return undefined;
}
