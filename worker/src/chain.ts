// The chain: a stateless Worker makes a run's calls, hands each answer to the run's object, and takes the next calls in the
// same breath. It begins behind the response to an event (`waitUntil`), or where an object's alarm hands work on (`Chain.go`).
// One invocation goes on for a bounded time and a bounded number of requests, then a fresh one takes over. A Worker that vanishes
// is a lease that ends: the object's alarm gives the call up and begins a new chain.

import { WorkerEntrypoint } from "cloudflare:workers";
import { type Env, home } from "./address.js";
import { call as callApp } from "./call.js";
import { catalog } from "./catalog.js";
import type { actors } from "./engine.js";
import { CHAIN_MS_MAX, CHAIN_REQUESTS_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import type { Delivered, Letter } from "./object.js";
import { policy } from "./settings.js";

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

/** One invocation's part of chains. */
export class Follower {
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
    await this.follow({ calls: made.calls.map((call) => ({ from, call })), letters: made.letters.map((letter) => ({ from, letter })) });
  }

  private async call(from: string, call: actors.AppCall): Promise<void> {
    if (this.isSpent()) {
      this.rest.calls.push({ from, call });
      return;
    }
    this.requests += 2;
    const object = home(this.env, from);
    const outcome = await callApp(call, Number(policy(this.env).renewMs), async () => object.renew(from, [call.id]));
    if (outcome === undefined) {
      log("warn", "a call was stopped: its lease had ended", { actor: from, call: call.id });
      return;
    }
    const made = await object.deliver(from, { tag: "answered", outcome }, catalog().version);
    await this.proceed(from, made);
  }

  private async deliver(from: string, letters: Letter[]): Promise<void> {
    const confirmed: bigint[] = [];
    const next: Promise<void>[] = [];
    for (const letter of letters) {
      if (this.isSpent()) {
        this.rest.letters.push({ from, letter });
        continue;
      }
      this.requests += 1;
      const made = await home(this.env, letter.to).deliver(letter.to, { tag: "tell", body: letter.body }, catalog().version);
      if (made.fault !== undefined) continue;
      confirmed.push(letter.number);
      next.push(this.caught(letter.to, this.proceed(letter.to, made)));
    }
    if (confirmed.length > 0) {
      this.requests += 1;
      next.push(this.caught(from, home(this.env, from).confirm(confirmed)));
    }
    await Promise.all(next);
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
