// Calls that take longer than a Worker may live behind a response. A carrier is an object that makes one such call in its alarm,
// which may take a quarter of an hour. It keeps nothing: a carrier that vanishes is a lease that ends.
//
// The time that a carrier waits is billed, so that only calls come here that were cut off elsewhere, and those of functions that
// lately had such a call.

import { DurableObject } from "cloudflare:workers";
import { type Env, home, within } from "./address.js";
import { handOver } from "./answer.js";
import { call as callApp } from "./call.js";
import type { Work } from "./chain.js";
import type { actors } from "./engine.js";
import { CARRY_MS_MAX, SLOW_MS } from "./limits.js";
import { cause, log } from "./log.js";
import { policy } from "./settings.js";

export class Carrier extends DurableObject<Env> {
  private work: { from: string; call: actors.AppCall } | undefined;

  /** Takes a call over, and answers at once. */
  async carry(from: string, call: actors.AppCall): Promise<void> {
    this.work = { from, call };
    await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    const work = this.work;
    this.work = undefined;
    // What is in memory went with an earlier life of this object: the lease of the call ends, and it is made again.
    if (work === undefined) return;
    try {
      await this.make(work.from, work.call);
    } catch (error) {
      log("warn", "a call that was carried was cut short; its alarm brings it again", { actor: work.from, cause: cause(error) });
    }
  }

  private async make(from: string, call: actors.AppCall): Promise<void> {
    const object = home(this.env, from);
    const most = BigInt(CARRY_MS_MAX);
    const bounded = call.timeMsMax > most ? { ...call, timeMsMax: most } : call;
    const outcome = await callApp(bounded, Number(policy(this.env).renewMs), async () => object.renew(from, [call.id]));
    if (outcome === "lost" || outcome === "cut") {
      log("warn", "a call was stopped: its lease had ended", { actor: from, call: call.id });
      return;
    }
    const made = await handOver(this.env, from, outcome);
    const next: Work = { calls: made.calls.map((call) => ({ from, call })), letters: made.letters.map((letter) => ({ from, letter })) };
    if (next.calls.length + next.letters.length === 0) return;
    const exports = (this.ctx as unknown as { exports: { Chain: { go(work: Work): Promise<void> } } }).exports;
    await exports.Chain.go(next);
  }
}

/** Hands a call to a carrier of its own. */
export async function carry(env: Env, from: string, call: actors.AppCall): Promise<void> {
  const carrier = within(env, env.CARRIER, `${from}/${call.id}`) as unknown as Pick<Carrier, "carry">;
  await carrier.carry(from, call);
}

/** Until when the calls of a function are carried from the beginning, as far as this isolate knows. */
const slow = new Map<string, number>();

/** Whether a call is likely to take long. */
export function isSlow(url: string, now: number): boolean {
  const until = slow.get(functionOf(url));
  if (until !== undefined && until <= now) slow.delete(functionOf(url));
  return until !== undefined && until > now;
}

/** A call took too long. */
export function tookLong(url: string, now: number): void {
  slow.set(functionOf(url), now + SLOW_MS);
}

/** Its URL without the step. */
function functionOf(url: string): string {
  const end = url.indexOf("&stepId=");
  return end < 0 ? url : url.slice(0, end);
}
