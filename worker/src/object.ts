// An actor as a Durable Object.
//
// The order is that of wit/actors.wit and of the ledger: load, turn, settle, one transaction for rows and alarm, and only then
// effects. Input gates close during storage operations only, but everything from the turn to the commit is synchronous, so two
// messages never mix.

import { DurableObject } from "cloudflare:workers";
import { addressOf, CATALOG, type Env, home, nameOf } from "./address.js";
import { type Catalog, atLeast, catalog, isHere, learn } from "./catalog.js";
import type { Work } from "./chain.js";
import { type Address, type Instance, type actors, type ledgers, instance, ledgersMade, partOf, Refused, Trap, withLedgers } from "./engine.js";
import { ALARM_OVERDUE_MS, DELIVERIES_AT_ONCE_MAX, FAILURE_MS, ROUNDS_MAX, WATCH_MS_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import { policy, settings } from "./settings.js";
import { Store } from "./store.js";

/** What an actor is told or asked by somebody else. */
export type About =
  | { tag: "tell"; body: Uint8Array }
  | { tag: "ask"; body: Uint8Array }
  | { tag: "answered"; outcome: actors.CallOutcome }
  /** Whoever made this call had to stop: it is to be made by somebody else. */
  | { tag: "cut"; call: string };

export interface Letter {
  number: bigint;
  to: string;
  body: Uint8Array;
  /** How often it was sent. */
  tries: number;
}

/** What goes with a message. */
export interface Beside {
  /** Letters of this actor that were taken in. */
  confirmed?: bigint[];
  /** Whoever delivers it goes on delivering until nothing is pending, and if not, the message comes again: so long no alarm is needed. What arrives
   * after this moment may have come again before, and been confirmed: then nobody guards. */
  guardedUntil?: number;
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
  /** What is pending here does not depend on whoever delivered the message. */
  isSafe: boolean;
  /** The catalog that was decided by. */
  catalog: bigint;
  /** How often this actor has published since it was made. */
  news: number;
}

/** Whether a letter is for lists alone. */
const isNews = (letter: Letter): boolean => letter.to.startsWith("history/");
const NOTHING: ledgers.Settled = { letters: [], calls: new Uint32Array() };

interface Hot {
  address: Address;
  instance: Instance;
  actor: actors.Actor;
}

export abstract class Home extends DurableObject<Env> {
  protected readonly store: Store;
  protected name: string | undefined;
  /** With the number of the instance that it lives in. */
  private ledger: { made: number; handle: ledgers.Ledger } | undefined;
  private hot: Hot | undefined;
  /** While somebody guards this actor: the alarm that is not set. */
  private guard: { alarm: bigint | undefined } | undefined;
  /** Letters to the history that wait. */
  private late: Letter[] = [];
  /** Letters that are being delivered. */
  private sending: Promise<unknown> = Promise.resolve();
  private news = Math.floor(Math.random() * 2 ** 40);
  private readonly watchers = new Set<() => void>();
  private nextToken = BigInt(Math.floor(Math.random() * 2 ** 50));

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new Store(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => this.load());
  }

  private async load(): Promise<void> {
    this.loadLedger((await this.ctx.storage.getAlarm()) ?? undefined);
  }

  /** The ledger from what is stored, and the name under which this actor is known. */
  private loadLedger(alarm?: number): ledgers.Ledger {
    const loaded = this.store.load();
    this.name ??= loaded.name;
    const at = alarm === undefined ? undefined : BigInt(alarm);
    const made = ledgersMade();
    const handle = withLedgers((exports) => exports.Ledger.load(policy(this.env), loaded.head, loaded.parcels, at));
    this.ledger = { made, handle };
    return handle;
  }

  /** A call of the ledger, which is made again where another actor's trap took its instance away. The alarm that is set is not
   * known then, so that it is set once more: too often rather than too late. */
  private withLedger<T>(call: (ledger: ledgers.Ledger) => T): T {
    const handle = this.ledger?.made === ledgersMade() ? this.ledger.handle : this.loadLedger();
    return withLedgers(() => call(handle));
  }

  /** Delivers a message; gives what the one who delivered it has to do next. */
  async deliver(name: string, about: About, version: bigint, { confirmed = [], guardedUntil = 0 }: Beside = {}): Promise<Delivered> {
    this.name = name;
    await this.knowCatalog(version);
    this.confirmAll(confirmed);
    if (Date.now() < guardedUntil) this.guard ??= { alarm: undefined };
    const token = about.tag === "ask" ? (this.nextToken += 1n) : undefined;
    const message: actors.Message = about.tag === "tell"
      ? { tag: "tell", val: about.body }
      : about.tag === "ask"
        ? { tag: "ask", val: [token ?? 0n, about.body] }
        : about.tag === "answered"
          ? { tag: "answered", val: about.outcome }
          : { tag: "lost", val: [about.call] };
    const over = about.tag === "answered" ? [about.outcome.id] : about.tag === "cut" ? [about.call] : [];
    let made = this.tryTurn(message, over);
    if (made.fault !== undefined && about.tag === "answered" && made.fault.code === "engine_fault") {
      // The run must learn that its answer could not be taken in: that counts as a failed attempt.
      const outcome = { id: about.outcome.id, answer: { tag: "err", val: { tag: "engine-fault", val: made.fault.message } } } as const;
      made = this.tryTurn({ tag: "answered", val: outcome }, over);
    }
    return { ...made, ...(token === undefined ? {} : { token }), isSafe: await this.isSafe(made) };
  }

  /** Whoever guarded this actor does so no longer. */
  async release(): Promise<void> {
    const guard = this.guard;
    this.guard = undefined;
    if (guard?.alarm !== undefined) this.store.setAlarm(guard.alarm);
    // Made anew since it was guarded, it has no alarm and does not know it; what would bring it back is confirmed after this.
    if (guard === undefined) await this.nudge();
    if (this.name !== undefined) this.sendOut(this.name, this.late);
    this.late = [];
  }

  /** Whether whoever guards this actor may stop: it has an alarm of its own, or nothing is pending. */
  private async isSafe(made: Delivered): Promise<boolean> {
    if (this.guard === undefined) return true;
    if (made.calls.length + made.letters.length > 0) return false;
    await this.sending;
    if (this.guard === undefined || this.withLedger((ledger) => ledger.pending()) !== undefined) return this.guard === undefined;
    this.guard = undefined;
    // It believes in the alarm that was not set.
    this.ledger = undefined;
    return true;
  }

  /** The alarm to set with a turn: none as long as the actor is guarded, unless it wants to be woken itself. */
  private alarmOf(settled: bigint | undefined, wakes: boolean): bigint | undefined {
    if (this.guard === undefined) return settled;
    const earliest = [this.guard.alarm, settled].filter((at) => at !== undefined).sort((a, b) => (a < b ? -1 : 1))[0];
    if (!wakes) {
      this.guard.alarm = earliest;
      return undefined;
    }
    this.guard = undefined;
    return earliest;
  }

  /** Letters were taken in by their receivers. */
  async confirm(numbers: bigint[]): Promise<void> {
    this.confirmAll(numbers);
  }

  /** These calls are under way; false: stop them, they count as lost. */
  async renew(name: string, calls: string[]): Promise<boolean> {
    this.name = name;
    const writes = this.withLedger((ledger) => ledger.renew(calls, BigInt(Date.now())));
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

  /** Sees to it that an alarm is set where one is needed, should the platform have lost it. */
  async nudge(): Promise<void> {
    const [now, set] = [Date.now(), await this.ctx.storage.getAlarm()];
    if (set !== null && set > now - ALARM_OVERDUE_MS) return;
    const at = this.withLedger((ledger) => ledger.pending());
    if (at === undefined) return;
    log("warn", "an alarm was lost and is set again", { actor: this.name });
    this.store.setAlarm(at > BigInt(now) ? at : BigInt(now));
  }

  /** Every error is caught: an alarm that throws six times would be gone for good. */
  override async alarm(): Promise<void> {
    try {
      await this.ring();
    } catch (error) {
      log("error", "an alarm could not be handled; it comes again", { actor: this.name, cause: cause(error) });
      this.recover();
    }
  }

  protected async ring(): Promise<void> {
    const name = this.name;
    if (name === undefined) return;
    await this.knowCatalog(0n);
    const rung = this.withLedger((ledger) => ledger.ring(BigInt(Date.now())));
    this.store.commit(name, [], rung.writes, rung.alarm);
    this.withLedger((ledger) => ledger.keep());
    const work: Work = { calls: [], letters: rung.letters.map((letter) => ({ from: name, letter })) };
    const due: { message: actors.Message; over: string[] }[] = [];
    if (rung.lost.length > 0) due.push({ message: { tag: "lost", val: rung.lost } as actors.Message, over: rung.lost });
    if (rung.resume) due.push({ message: { tag: "resume" }, over: [] });
    if (rung.wake) due.push({ message: { tag: "wake" }, over: [] });
    for (const { message, over } of due) {
      const made = this.tryTurn(message, over);
      work.calls.push(...made.calls.map((call) => ({ from: name, call })));
      work.letters.push(...made.letters.map((letter) => ({ from: name, letter })));
    }
    if (work.calls.length + work.letters.length > 0) await this.handOn(work);
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
    // It tells its snapshot when it is woken; resumed, it would have every schedule looked at. Nobody decides by an empty one
    // because it could not.
    if (this.hot === undefined) {
      const { fault } = this.tryTurn({ tag: "wake" }, []);
      if (fault !== undefined) throw new Refused(fault.code, fault.message);
    }
    isHere();
  }

  private confirmAll(numbers: bigint[]): void {
    if (numbers.length === 0) return;
    try {
      this.withLedger((ledger) => numbers.forEach((number) => ledger.confirm(number)));
    } catch (error) {
      log("warn", "confirmations were lost: letters come again", { actor: this.name, cause: cause(error) });
    }
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
        return { replies: [], calls: [], letters: [], fault: { code, message: cause(error) }, isSafe: true, catalog: catalog().version, news: this.news };
      }
    }
  }

  /** What is in memory may be ahead of what is stored: it is read again, and an alarm set for what is pending. */
  private recover(): void {
    this.hot = undefined;
    this.guard = undefined;
    this.late = [];
    const now = Date.now();
    try {
      const ledger = this.loadLedger();
      const at = withLedgers(() => ledger.againLater(BigInt(now)));
      if (at !== undefined) this.store.setAlarm(at);
    } catch (error) {
      log("error", "an actor cannot be read; it is tried again", { actor: this.name, cause: cause(error) });
      this.ledger = undefined;
      this.store.setAlarm(BigInt(now + FAILURE_MS));
    }
  }

  private turn(message: actors.Message, over: string[]): Delivered {
    const name = this.name;
    if (name === undefined) throw new Error("an actor without a name");
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
    // An answer that changed nothing leaves everything as it is, letters as well that were confirmed without a row's being written.
    const isReading = message.tag === "ask" && done.writes.length + sends.length + calls.length === 0;
    const settled = isReading ? NOTHING : this.withLedger((ledger) => {
      const decided = { over, sends, calls: calls.map((call) => call.id), owing: done.owing };
      return ledger.settle(done.wakeAt === undefined ? decided : { ...decided, wakeAt: done.wakeAt }, now);
    });
    this.store.commit(name, done.writes, settled.writes, this.alarmOf(settled.alarm, done.wakeAt !== undefined));
    if (!isReading) this.withLedger((ledger) => ledger.keep());
    const replies: Delivered["replies"] = [];
    for (const effect of done.effects) {
      if (effect.tag === "reply") replies.push(effect.val);
      else if (effect.tag === "publish") this.publish();
      else if (effect.tag === "install") learn({ version: effect.val.version, snapshot: effect.val.snapshot });
    }
    const { mine, theirs } = this.share(settled.letters, calls.length > 0);
    this.sendOut(name, mine);
    return {
      replies,
      calls: Array.from(settled.calls, (place) => calls[place]).filter((call) => call !== undefined),
      letters: theirs,
      isSafe: true,
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

  /** Letters that may start calls go to the Worker that waits for us; the others we deliver ourselves, which confirms them. As long as
   * a run is guarded and goes on, what it has for the history waits: most runs are over soon, and their end says it all. */
  private share(letters: Letter[], goesOn: boolean): { mine: Letter[]; theirs: Letter[] } {
    const theirs = letters.filter((letter) => letter.to.startsWith("run/"));
    const others = letters.filter((letter) => !letter.to.startsWith("run/"));
    if (this.name?.startsWith("run/") !== true) return { mine: others, theirs };
    const news = others.filter(isNews);
    const isSuperseded = (early: Letter): boolean => news.some(({ to }) => to === early.to);
    this.confirmAll(this.late.filter(isSuperseded).map(({ number }) => number));
    const held = [...this.late.filter((early) => !isSuperseded(early)), ...news];
    const waits = goesOn && this.guard !== undefined;
    this.late = waits ? held : [];
    return { mine: [...(waits ? [] : held), ...others.filter((letter) => !isNews(letter))], theirs };
  }

  private sendOut(name: string, letters: Letter[]): void {
    if (letters.length === 0) return;
    this.sending = Promise.all([this.sending, this.send(name, letters)]);
    this.ctx.waitUntil(this.sending);
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
