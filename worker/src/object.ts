// An actor as a Durable Object.
//
// The order is that of wit/actors.wit and of the ledger: load, turn, settle, one transaction for rows and alarm, and only then
// effects. Input gates close during storage operations only, but everything from the turn to the commit is synchronous, so two
// messages never mix.

import { DurableObject } from "cloudflare:workers";
import { addressOf, CATALOG, type Env, home, nameOf } from "./address.js";
import { type Catalog, atLeast, catalog, isHere, learn } from "./catalog.js";
import type { Work } from "./chain.js";
import { type Address, type Instance, type actors, type ledgers, instance, partOf, Refused, Trap, withLedgers } from "./engine.js";
import { ROUNDS_MAX, FAILURE_MS, WATCH_MS_MAX, DELIVERIES_AT_ONCE_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import { policy, settings } from "./settings.js";
import { Store } from "./store.js";

/** What an actor is told or asked by somebody else. */
export type About =
  | { tag: "tell"; body: Uint8Array }
  | { tag: "ask"; body: Uint8Array }
  | { tag: "answered"; outcome: actors.CallOutcome };

export interface Letter {
  number: bigint;
  to: string;
  body: Uint8Array;
}

/** What came of a message. */
export interface Delivered {
  /** The token of a question, where it was one. */
  token?: bigint;
  /** Answers to questions: to this one, or to earlier ones. */
  replies: { token: bigint; body: Uint8Array }[];
  /** To be made by whoever delivered the message. */
  calls: actors.AppCall[];
  /** To be delivered by the same, and confirmed: letters that may start calls. */
  letters: Letter[];
  /** Why there was no turn. */
  fault?: { code: string; message: string };
  /** The catalog that was decided by. */
  catalog: bigint;
  /** How often this actor has published since it was made. */
  news: number;
}

interface Hot {
  address: Address;
  instance: Instance;
  actor: actors.Actor;
}

export abstract class Home extends DurableObject<Env> {
  private readonly store: Store;
  private name: string | undefined;
  private ledger: ledgers.Ledger | undefined;
  private hot: Hot | undefined;
  private news = Math.floor(Math.random() * 2 ** 40);
  private readonly watchers = new Set<() => void>();
  private nextToken = BigInt(Math.floor(Math.random() * 2 ** 50));

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new Store(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => this.load());
  }

  /** The ledger, and the name under which this actor is known. */
  private async load(): Promise<void> {
    const alarm = (await this.ctx.storage.getAlarm()) ?? undefined;
    this.reload(alarm);
  }

  private reload(alarm: number | undefined): void {
    const loaded = this.store.load();
    this.name ??= loaded.name;
    this.ledger = withLedgers((exports) => {
      const at = alarm === undefined ? undefined : BigInt(alarm);
      return exports.Ledger.load(policy(this.env), loaded.head, loaded.parcels, at);
    });
    this.hot = undefined;
  }

  /** Delivers a message; gives what the one who delivered it has to do next. */
  async deliver(name: string, about: About, version: bigint, confirmed: bigint[] = []): Promise<Delivered> {
    this.name = name;
    await this.knowCatalog(version);
    this.confirmAll(confirmed);
    const token = about.tag === "ask" ? (this.nextToken += 1n) : undefined;
    const message: actors.Message = about.tag === "tell"
      ? { tag: "tell", val: about.body }
      : about.tag === "ask"
        ? { tag: "ask", val: [token ?? 0n, about.body] }
        : { tag: "answered", val: about.outcome };
    const over = about.tag === "answered" ? [about.outcome.id] : [];
    let made = this.tryTurn(message, over);
    if (made.fault !== undefined && about.tag === "answered" && made.fault.code === "engine_fault") {
      // The run must learn that its answer could not be taken in: that counts as a failed attempt.
      const outcome = { id: about.outcome.id, answer: { tag: "err", val: { tag: "engine-fault", val: made.fault.message } } } as const;
      made = this.tryTurn({ tag: "answered", val: outcome }, over);
    }
    return token === undefined ? made : { ...made, token };
  }

  /** Letters were taken in by their receivers. */
  async confirm(numbers: bigint[]): Promise<void> {
    this.confirmAll(numbers);
  }

  /** These calls are under way; false: stop them, they count as lost. */
  async renew(name: string, calls: string[]): Promise<boolean> {
    this.name = name;
    const ledger = this.ledger;
    if (ledger === undefined) return false;
    const writes = withLedgers(() => ledger.renew(calls, BigInt(Date.now())));
    if (writes === undefined) return false;
    this.store.commit(name, [], writes, undefined);
    return true;
  }

  /** Waits until the actor has published more than `seen`, or was made anew. */
  async watch(seen: number, ms: number): Promise<void> {
    if (this.news !== seen) return;
    let done: () => void = () => undefined;
    const news = new Promise<void>((resolve) => (done = resolve));
    this.watchers.add(done);
    const timer = setTimeout(done, Math.min(ms, WATCH_MS_MAX));
    await news;
    clearTimeout(timer);
    this.watchers.delete(done);
  }

  /** The newest catalog, where this is the actor that owns it. */
  async catalog(): Promise<Catalog | undefined> {
    this.name = nameOf(CATALOG);
    await this.knowCatalog(0n);
    return catalog();
  }

  /** Throws what is in memory away, for tests. */
  async evict(): Promise<void> {
    this.ctx.abort("evicted by a test");
  }

  /** Every error is caught: an alarm that throws six times would be gone for good. */
  override async alarm(): Promise<void> {
    try {
      await this.ring();
    } catch (error) {
      log("error", "an alarm could not be handled; it comes again", { actor: this.name, cause: cause(error) });
      this.store.setAlarm(BigInt(Date.now() + FAILURE_MS));
    }
  }

  private async ring(): Promise<void> {
    const ledger = this.ledger;
    const name = this.name;
    if (ledger === undefined || name === undefined) return;
    await this.knowCatalog(0n);
    const rung = withLedgers(() => ledger.ring(BigInt(Date.now())));
    this.store.commit(name, [], rung.writes, rung.alarm);
    withLedgers(() => ledger.keep());
    const work: Work = { calls: [], letters: rung.letters.map((letter) => ({ from: name, letter })) };
    const due: { message: actors.Message; over: string[] }[] = [];
    if (rung.lost.length > 0) due.push({ message: { tag: "lost", val: rung.lost } as actors.Message, over: rung.lost });
    if (rung.resume) due.push({ message: { tag: "resume" }, over: [] });
    if (rung.wake) due.push({ message: { tag: "wake" }, over: [] });
    for (const { message, over } of due) {
      const made = this.tryTurn(message, over);
      if (made.fault !== undefined) this.again();
      work.calls.push(...made.calls.map((call) => ({ from: name, call })));
      work.letters.push(...made.letters.map((letter) => ({ from: name, letter })));
    }
    if (work.calls.length + work.letters.length > 0) await this.handOn(work);
  }

  /** After a turn that failed. */
  private again(): void {
    const ledger = this.ledger;
    if (ledger === undefined) return;
    const at = withLedgers(() => ledger.againLater(BigInt(Date.now())));
    if (at !== undefined) this.store.setAlarm(at);
  }

  /** A Worker goes on with it: no user's code is waited for in here. */
  private async handOn(work: Work): Promise<void> {
    const exports = (this.ctx as unknown as { exports: { Chain: { go(work: Work): Promise<void> } } }).exports;
    await exports.Chain.go(work);
  }

  private async knowCatalog(version: bigint): Promise<void> {
    if (this.name !== nameOf(CATALOG)) {
      await atLeast(this.env, version);
      return;
    }
    isHere();
    // It tells its snapshot when it is resumed.
    if (this.hot === undefined) this.tryTurn({ tag: "resume" }, []);
  }

  private confirmAll(numbers: bigint[]): void {
    const ledger = this.ledger;
    if (ledger === undefined || numbers.length === 0) return;
    withLedgers(() => numbers.forEach((number) => ledger.confirm(number)));
  }

  /** One turn; a trap may come of the state of the instance, so the actor gets a second chance in a fresh one. */
  private tryTurn(message: actors.Message, over: string[]): Delivered {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.turn(message, over);
      } catch (error) {
        this.hot = undefined;
        if (error instanceof Trap && attempt === 1) continue;
        const code = error instanceof Trap || error instanceof Refused ? error.code : "engine_fault";
        log("error", "a message was not taken in", { actor: this.name, kind: message.tag, code, cause: cause(error) });
        this.recover();
        return { replies: [], calls: [], letters: [], fault: { code, message: cause(error) }, catalog: catalog().version, news: this.news };
      }
    }
  }

  /** What is in memory may be ahead of what is stored. */
  private recover(): void {
    try {
      this.reload(undefined);
      this.again();
    } catch (error) {
      log("error", "an actor cannot be read", { actor: this.name, cause: cause(error) });
    }
  }

  private turn(message: actors.Message, over: string[]): Delivered {
    const name = this.name;
    const ledger = this.ledger;
    if (name === undefined || ledger === undefined) throw new Error("an actor without a name");
    const now = BigInt(Date.now());
    const known = catalog();
    const hot = this.make(name);
    hot.instance.install(known.version, known.snapshot);
    const done = this.decide(hot, {
      now,
      entropy: crypto.getRandomValues(new BigUint64Array(2)) as unknown as [bigint, bigint],
      catalog: known.version,
      message,
      supplied: [],
    });
    const sends: ledgers.Post[] = [];
    const calls: actors.AppCall[] = [];
    for (const effect of done.effects) {
      if (effect.tag === "send") sends.push({ to: nameOf(effect.val.to), body: effect.val.body });
      else if (effect.tag === "call") calls.push(effect.val);
    }
    const settled = withLedgers(() => {
      const decided = { over, sends, calls: calls.map((call) => call.id), owing: done.owing };
      return ledger.settle(done.wakeAt === undefined ? decided : { ...decided, wakeAt: done.wakeAt }, now);
    });
    this.store.commit(name, done.writes, settled.writes, settled.alarm);
    withLedgers(() => ledger.keep());
    const replies: Delivered["replies"] = [];
    for (const effect of done.effects) {
      if (effect.tag === "reply") replies.push(effect.val);
      else if (effect.tag === "publish") this.publish();
      else if (effect.tag === "install") learn({ version: effect.val.version, snapshot: effect.val.snapshot });
    }
    const { mine, theirs } = this.share(settled.letters);
    if (mine.length > 0) this.ctx.waitUntil(this.send(name, mine));
    return {
      replies,
      calls: Array.from(settled.calls, (place) => calls[place]).filter((call) => call !== undefined),
      letters: theirs,
      catalog: catalog().version,
      news: this.news,
    };
  }

  private make(name: string): Hot {
    if (this.hot !== undefined && !this.hot.instance.isGone) return this.hot;
    const address = addressOf(name);
    const made = instance(partOf(address.kind), settings(this.env));
    const rows = made.preload(address).map((range) => ({ range, rows: this.store.rows(range) }));
    this.hot = { address, instance: made, actor: made.actor(address, rows) };
    return this.hot;
  }

  private decide(hot: Hot, input: actors.TurnInput): actors.Done {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const outcome = hot.instance.turn(hot.actor, input);
      if (outcome.tag === "done") return outcome.val;
      input.supplied.push(...outcome.val.map((range) => ({ range, rows: this.store.rows(range) })));
    }
    throw new Error("a turn asked for rows again and again");
  }

  private publish(): void {
    this.news += 1;
    this.watchers.forEach((done) => done());
  }

  /** Letters that may start calls go to the Worker that waits for us; the others we deliver ourselves, which confirms them. */
  private share(letters: Letter[]): { mine: Letter[]; theirs: Letter[] } {
    const mine = letters.filter((letter) => !letter.to.startsWith("run/"));
    const theirs = letters.filter((letter) => letter.to.startsWith("run/"));
    return { mine, theirs };
  }

  private async send(from: string, letters: Letter[]): Promise<void> {
    const queue = [...letters];
    const work: Work = { calls: [], letters: [] };
    const one = async (): Promise<void> => {
      for (let letter = queue.shift(); letter !== undefined; letter = queue.shift()) {
        try {
          const made = await home(this.env, letter.to).deliver(letter.to, { tag: "tell", body: letter.body }, catalog().version);
          if (made.fault !== undefined) continue;
          this.confirmAll([letter.number]);
          const to = letter.to;
          work.calls.push(...made.calls.map((call) => ({ from: to, call })));
          work.letters.push(...made.letters.map((next) => ({ from: to, letter: next })));
        } catch (error) {
          log("warn", "a message did not arrive; it is sent again", { actor: from, to: letter.to, cause: cause(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: DELIVERIES_AT_ONCE_MAX }, one));
    if (work.calls.length + work.letters.length > 0) await this.handOn(work);
  }
}
