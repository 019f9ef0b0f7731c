// The chain: a stateless Worker makes a run's calls, hands each answer to the run's object, and takes the next calls in the
// same breath. It begins behind the response to an event (`waitUntil`), or where an object's alarm hands work on (`Chain.go`).
// One invocation goes on for a bounded time and a bounded number of requests, then a fresh one takes over. A Worker that vanishes
// is a lease that ends: the object's alarm gives the call up and begins a new chain.

import { WorkerEntrypoint } from "cloudflare:workers";
import { type Env, home } from "./address.js";
import { handOver } from "./answer.js";
import { call as callApp } from "./call.js";
import { carry, isSlow, tookLong } from "./carrier.js";
import { catalog } from "./catalog.js";
import type { actors } from "./engine.js";
import { confirmLater } from "./confirm.js";
import { CHAIN_MS_MAX, CHAIN_REQUESTS_MAX, DELIVERIES_AT_ONCE_MAX, GUARD_MS, GUARDED_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import type { Delivered, Letter } from "./object.js";
import { policy, slowCallMs } from "./settings.js";

/** What is to be done in the world for actors, each named by its object. */
export interface Work {
  calls: { from: string; call: actors.AppCall }[];
  letters: { from: string; letter: Letter }[];
}

interface Context {
  waitUntil(work: Promise<unknown>): void;
  exports?: unknown;
}

/** A fresh invocation that goes on with work of another. */
export class Chain extends WorkerEntrypoint<Env> {
  async go(work: Work): Promise<void> {
    this.ctx.waitUntil(new Follower(this.env, this.ctx).follow(work));
  }
}

/** How many runs this isolate guards. */
let guarded = 0;

/** One invocation's part of chains. */
export class Follower {
  /** By run: what is to be done when nothing of it is pending any more. */
  private readonly guards = new Map<string, () => Promise<void>>();
  private requests = 0;
  private readonly began = Date.now();
  private readonly rest: Work = { calls: [], letters: [] };

  constructor(private readonly env: Env, private readonly ctx: Context, private readonly onReply?: (reply: Delivered["replies"][number]) => void) {}

  /** Does all of it and whatever follows from it; never fails: what is not done is done again after its lease or letter is due. */
  async follow(work: Work): Promise<void> {
    await Promise.all([
      ...work.calls.map(({ from, call }) => this.caught(from, this.call(from, call))),
      ...group(work.letters).map(([from, letters]) => this.caught(from, this.deliver(from, letters))),
    ]);
    if (this.rest.calls.length + this.rest.letters.length > 0) {
      const work = { calls: this.rest.calls.splice(0), letters: this.rest.letters.splice(0) };
      const exports = this.ctx.exports as { Chain: { go(work: Work): Promise<void> } };
      await exports.Chain.go(work).catch((error: unknown) => log("warn", "a chain was not handed on", { cause: cause(error) }));
    }
  }

  /** Goes on from what an object said. */
  async proceed(from: string, made: Delivered): Promise<void> {
    made.replies.forEach((reply) => this.onReply?.(reply));
    if (made.isSafe) await this.guards.get(from)?.();
    await this.follow({ calls: made.calls.map((call) => ({ from, call })), letters: made.letters.map((letter) => ({ from, letter })) });
  }

  private async call(from: string, call: actors.AppCall): Promise<void> {
    if (this.isSpent()) {
      this.rest.calls.push({ from, call });
      return;
    }
    this.requests += 2;
    const most = slowCallMs(this.env);
    if (most === 0 || isSlow(call.url, Date.now())) {
      await carry(this.env, from, call);
      return;
    }
    const object = home(this.env, from);
    const left = most - (Date.now() - this.began);
    const outcome = await callApp(call, Number(policy(this.env).renewMs), async () => object.renew(from, [call.id]), left);
    if (outcome === "cut") {
      log("info", "a call takes longer than a Worker may live: it is made again, by a carrier", { actor: from, call: call.id });
      tookLong(call.url, Date.now());
      await this.proceed(from, await object.deliver(from, { tag: "cut", call: call.id }, catalog().version));
      return;
    }
    if (outcome === "lost") {
      log("warn", "a call was stopped: its lease had ended", { actor: from, call: call.id });
      return;
    }
    await this.proceed(from, await handOver(this.env, from, outcome));
  }

  private async deliver(from: string, letters: Letter[]): Promise<void> {
    const queue = [...letters];
    const confirmed: bigint[] = [];
    const next: Promise<void>[] = [];
    const one = async (): Promise<void> => {
      for (let letter = queue.shift(); letter !== undefined; letter = queue.shift()) {
        if (this.isSpent()) {
          this.rest.letters.push({ from, letter });
          continue;
        }
        this.requests += 1;
        // One that comes again finds what is left of the first time.
        const isGuarded = letter.tries === 1 && guarded < GUARDED_MAX;
        const beside = isGuarded ? { guardedUntil: Date.now() + Math.min(GUARD_MS, Number(policy(this.env).resendMsMin)) } : {};
        const made = await home(this.env, letter.to).deliver(letter.to, { tag: "tell", body: letter.body }, catalog().version, beside);
        if (made.fault !== undefined) continue;
        if (made.isSafe) {
          confirmed.push(letter.number);
          next.push(this.caught(letter.to, this.proceed(letter.to, made)));
        } else {
          next.push(this.guard(from, letter, made));
        }
      }
    };
    await Promise.all(Array.from({ length: DELIVERIES_AT_ONCE_MAX }, async () => this.caught(from, one())));
    if (confirmed.length > 0) {
      this.requests += 1;
      next.push(this.caught(from, confirmLater(this.env, from, confirmed)));
    }
    await Promise.all(next);
  }

  /** Goes on with a run, and confirms the letter that started it when the run can do without: until then the letter is what brings it back. */
  private async guard(from: string, letter: Letter, made: Delivered): Promise<void> {
    let isOver = false;
    guarded += 1;
    const end = async (release: boolean): Promise<void> => {
      if (isOver) return;
      isOver = true;
      guarded -= 1;
      clearTimeout(timer);
      this.guards.delete(letter.to);
      if (release) {
        this.requests += 1;
        await home(this.env, letter.to).release();
      }
      await confirmLater(this.env, from, [letter.number]);
    };
    const timer = setTimeout(() => void this.caught(letter.to, end(true)), GUARD_MS);
    this.guards.set(letter.to, async () => end(false));
    await this.caught(letter.to, this.proceed(letter.to, made));
    await this.caught(letter.to, end(true));
  }

  private isSpent(): boolean {
    return this.requests >= CHAIN_REQUESTS_MAX || Date.now() - this.began > CHAIN_MS_MAX;
  }

  private async caught(actor: string, work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      log("warn", "work for an actor was cut short; its alarm brings it again", { actor, cause: cause(error) });
    }
  }
}

function group(letters: Work["letters"]): [string, Letter[]][] {
  const by = new Map<string, Letter[]>();
  for (const { from, letter } of letters) by.set(from, [...(by.get(from) ?? []), letter]);
  return [...by];
}
