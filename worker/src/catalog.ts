// The catalog as this isolate knows it. Every turn decides by a version, and nobody who has heard of one decides by an older:
// each message carries the version of whoever sent it, and a receiver that knows only an older one asks the catalog's object
// first. Otherwise an isolate asks when it begins, and from time to time; never for each request.

import { CATALOG, type Env, home, nameOf } from "./address.js";
import { CATALOG_AGE_MS_MAX } from "./limits.js";

export interface Catalog {
  version: bigint;
  snapshot: Uint8Array;
}

let known: Catalog = { version: 0n, snapshot: new Uint8Array() };
let askedAt = 0;

/** The newest one that this isolate knows. */
export function catalog(): Catalog {
  return known;
}

/** Takes over a newer one. */
export function learn(newer: Catalog): void {
  if (newer.version > known.version) known = newer;
}

/** At least the version that a message speaks of. */
export async function atLeast(env: Env, version: bigint): Promise<Catalog> {
  if (askedAt === 0 || known.version < version) await ask(env);
  return known;
}

/** As it was lately; the look for a newer one does not keep anybody waiting. */
export async function recent(env: Env, ctx: { waitUntil(work: Promise<unknown>): void }): Promise<Catalog> {
  if (askedAt === 0) await ask(env);
  else if (Date.now() - askedAt > CATALOG_AGE_MS_MAX) {
    // One of the requests that come meanwhile asks, not all of them.
    askedAt = Date.now();
    ctx.waitUntil(ask(env).catch(() => undefined));
  }
  return known;
}

/** The catalog's own object knows what is newest without asking. */
export function isHere(): void {
  askedAt = Date.now();
}

async function ask(env: Env): Promise<void> {
  const newest = await home(env, nameOf(CATALOG)).catalog();
  askedAt = Date.now();
  if (newest !== undefined) learn(newest);
}
