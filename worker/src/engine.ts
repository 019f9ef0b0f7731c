// The engine's parts as instances of their components. A component cannot reach anything: it is called, and answers.
//
// An instance serves every actor of its isolate, because making one costs more than a turn (jco evaluates its JavaScript again).
// A trap is an ordinary exception here. It throws the instance away, and with it the actors that were hot in it: each is made
// again from its rows when it is next spoken to. Turns are synchronous, so no other actor was in the middle of one.

import { instantiate as eventApi } from "../gen/event-api/event-api.js";
import { instantiate as executor } from "../gen/executor/executor.js";
import { instantiate as ledger } from "../gen/ledger/ledger.js";
import { instantiate as scheduler } from "../gen/scheduler/scheduler.js";
import type * as actors from "../gen/event-api/interfaces/stepwell-engine-actors.js";
import type * as http from "../gen/event-api/interfaces/stepwell-engine-http.js";
import type * as types from "../gen/event-api/interfaces/stepwell-engine-types.js";
import type * as ledgers from "../gen/ledger/interfaces/stepwell-engine-ledgers.js";
import { modules } from "../gen/modules.js";
import { INSTANCE_BYTES_MAX } from "./limits.js";
import { cause, log } from "./log.js";

export type { actors, http, ledgers, types };
export type Address = actors.Address;
export type Kind = Address["kind"];
export type Part = "event-api" | "scheduler" | "executor";

const MAKERS = { "event-api": eventApi, scheduler, executor } as const;
const PARTS: Record<Kind, Part> = {
  catalog: "event-api",
  stream: "event-api",
  history: "event-api",
  gate: "scheduler",
  waits: "scheduler",
  cron: "scheduler",
  run: "executor",
};

/** The part that houses an actor. */
export function partOf(kind: Kind): Part {
  return PARTS[kind];
}

/** A decision that did not end: its instance is gone. */
export class Trap extends Error {
  readonly code = "engine_fault";
}

/** What the engine refuses in words; the instance goes on. */
export class Refused extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

/** An instance of a part. */
export class Instance {
  /** No call may be made into it any more. */
  isGone = false;
  private memory: WebAssembly.Memory | undefined;
  private catalog = 0n;
  private readonly exports: { actors: typeof actors; http?: typeof http };

  constructor(readonly part: Part, settings: actors.Settings) {
    const made = this.guard(() => MAKERS[part](modules, {}, this.remember));
    this.exports = made as unknown as { actors: typeof actors; http?: typeof http };
    this.guard(() => this.exports.actors.configure(settings));
  }

  private readonly remember = (module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance => {
    const made = new WebAssembly.Instance(module, imports);
    if (made.exports.memory instanceof WebAssembly.Memory) this.memory = made.exports.memory;
    return made;
  };

  /** Whether it holds so much memory that it had better begin anew. */
  get isOutgrown(): boolean {
    return (this.memory?.buffer.byteLength ?? 0) > INSTANCE_BYTES_MAX;
  }

  /** Lets it decide by this catalog. */
  install(version: bigint, snapshot: Uint8Array): void {
    if (this.catalog === version || version === 0n) return;
    this.guard(() => this.exports.actors.installCatalog(version, snapshot));
    this.catalog = version;
  }

  preload(address: Address): actors.Range[] {
    return this.guard(() => this.exports.actors.preload(address));
  }

  actor(address: Address, rows: actors.RangeRows[]): actors.Actor {
    return this.guard(() => new this.exports.actors.Actor(address, rows));
  }

  turn(actor: actors.Actor, input: actors.TurnInput): actors.Outcome {
    return this.guard(() => actor.turn(input));
  }

  requests<T>(call: (http: typeof import("../gen/event-api/interfaces/stepwell-engine-http.js")) => T): T {
    const http = this.exports.http;
    if (http === undefined) throw new Trap(`${this.part} answers no requests`);
    return this.guard(() => call(http));
  }

  /** Frees an actor or an exchange. */
  free(resource: object): void {
    if (this.isGone) return;
    const dispose = (resource as { [Symbol.dispose]?: () => void })[Symbol.dispose];
    if (dispose !== undefined) this.guard(() => dispose.call(resource));
  }

  private guard<T>(call: () => T): T {
    if (this.isGone) throw new Trap(`the instance of ${this.part} is gone`);
    try {
      return call();
    } catch (error) {
      const payload = (error as { payload?: { code?: string; message?: string } }).payload;
      if (payload?.code !== undefined) throw new Refused(payload.code, payload.message ?? "");
      this.isGone = true;
      log("error", "a decision trapped", { part: this.part, code: "engine_fault", cause: cause(error) });
      throw new Trap(`the engine's ${this.part} failed: ${cause(error)}`);
    }
  }
}

const instances = new Map<Part, Instance>();

/** The instance of a part in this isolate: a fresh one after a trap. */
export function instance(part: Part, settings: actors.Settings): Instance {
  const held = instances.get(part);
  if (held !== undefined && !held.isGone && !held.isOutgrown) return held;
  if (held !== undefined) held.isGone = true;
  const made = new Instance(part, settings);
  instances.set(part, made);
  return made;
}

/** The instance of the ledger's component in this isolate. Its number tells handles from one that is gone. */
interface Books {
  exports: typeof ledgers;
  memory: WebAssembly.Memory | undefined;
}
let books: Books | undefined;
let booksMade = 0;

/** Names the instance into which a call of `withLedgers` goes: a handle from an earlier one is of no use any more. */
export function ledgersMade(): number {
  if ((books?.memory?.buffer.byteLength ?? 0) > INSTANCE_BYTES_MAX) books = undefined;
  if (books === undefined) {
    let memory: WebAssembly.Memory | undefined;
    const made = ledger(modules, {}, (module, imports) => {
      const made = new WebAssembly.Instance(module, imports);
      if (made.exports.memory instanceof WebAssembly.Memory) memory = made.exports.memory;
      return made;
    });
    books = { exports: (made as unknown as { ledgers: typeof ledgers }).ledgers, memory };
    booksMade += 1;
  }
  return booksMade;
}

/** A call into the ledger's component. Where it traps, whoever holds a ledger makes it again from what is stored. */
export function withLedgers<T>(call: (exports: typeof ledgers) => T): T {
  ledgersMade();
  try {
    return call((books as Books).exports);
  } catch (error) {
    const payload = (error as { payload?: { code?: string; message?: string } }).payload;
    if (payload?.code !== undefined) throw new Refused(payload.code, payload.message ?? "");
    books = undefined;
    log("error", "a ledger trapped", { code: "engine_fault", cause: cause(error) });
    throw new Trap(`the ledger failed: ${cause(error)}`);
  }
}
