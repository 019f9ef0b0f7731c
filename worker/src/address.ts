// Addresses as names of objects, and who is asked for an object by its name.

import type { Address, Kind, Part } from "./engine.js";
import { partOf } from "./engine.js";
import type { Carrier, EventApi, Executor, Scheduler } from "./index.js";
import type { Home } from "./object.js";

export interface Env {
  EVENT_API: DurableObjectNamespace<EventApi>;
  SCHEDULER: DurableObjectNamespace<Scheduler>;
  EXECUTOR: DurableObjectNamespace<Executor>;
  CARRIER: DurableObjectNamespace<Carrier>;
  // A variable that is not set is undefined on Cloudflare and null where workerd takes it from its environment.
  STEPWELL_KIND?: string | null;
  STEPWELL_SIGNING_KEY?: string | null;
  STEPWELL_SIGNING_KEY_FALLBACK?: string | null;
  STEPWELL_EVENT_KEYS?: string | null;
  STEPWELL_RETRY_INTERVAL_MS?: string | null;
  /** An event that came so long before a wait for it still ends the wait. */
  STEPWELL_WAIT_LOOK_BACK_MS?: string | null;
  /** Of the times of a schedule that were missed: `none`, `last` or `all`. */
  STEPWELL_CRON_CATCH_UP?: string | null;
  STEPWELL_BACKLOG_LIMIT?: string | null;
  STEPWELL_CALLS_PER_APP?: string | null;
  /** Shards of streams and histories, 1 to 64; to be set before anything is stored. */
  STEPWELL_SHARDS?: string | null;
  /** How long after a Worker was last heard of its calls count as lost. */
  STEPWELL_LEASE_MS?: string | null;
  /** How long a Worker waits for an app behind a response before a carrier makes the call; 0: they make every call. */
  STEPWELL_SLOW_CALL_MS?: string | null;
  /** Where new objects are to be: a hint of the platform, such as `weur`. */
  STEPWELL_LOCATION?: string | null;
  /** Where objects must stay: `eu` or `fedramp`. */
  STEPWELL_JURISDICTION?: string | null;
}

export const CATALOG: Address = { kind: "catalog", key: "0" };

/** `kind/key`. */
export function nameOf(address: Address): string {
  return `${address.kind}/${address.key}`;
}

/** The reverse of `nameOf`. */
export function addressOf(name: string): Address {
  const slash = name.indexOf("/");
  return { kind: name.slice(0, slash) as Kind, key: name.slice(slash + 1) };
}

/** An object as others see it. The platform's own types lose tuples on the way. */
export type Stub = Pick<Home, "deliver" | "confirm" | "renew" | "release" | "watch" | "catalog" | "nudge">;

/** The object of an actor. */
export function home(env: Env, name: string): Stub {
  const part: Part = partOf(addressOf(name).kind);
  const space = part === "event-api" ? env.EVENT_API : part === "scheduler" ? env.SCHEDULER : env.EXECUTOR;
  return within(env, space as DurableObjectNamespace<Home>, name) as unknown as Stub;
}

/** An object by its name, where the settings want objects to be. */
export function within<T extends Rpc.DurableObjectBranded>(env: Env, all: DurableObjectNamespace<T>, name: string): DurableObjectStub<T> {
  const space = !env.STEPWELL_JURISDICTION
    ? all
    : all.jurisdiction(env.STEPWELL_JURISDICTION as DurableObjectJurisdiction);
  const where = !env.STEPWELL_LOCATION
    ? {}
    : { locationHint: env.STEPWELL_LOCATION as DurableObjectLocationHint };
  return space.get(space.idFromName(name), where);
}
