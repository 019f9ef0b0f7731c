// What an object stores, in the platform's key-value form of its SQLite: a table of our own would cost two rows more for every
// object, which is for every run.
//
//   r/<key>          a row of the actor
//   c/<key>/<piece>  the second and later pieces of a value that is too large for one row, or of a parcel
//   h                the ledger's head, where it does not ride on a row of the actor
//   p/<number>       a parcel of letters
//
// A row written costs a thousand times what a row read costs. So the head rides (`h`) on a row that the turn writes anyway,
// where that row is the last of its kind: the last of those whose keys begin with the same character. At load the last row of
// each kind is looked at, and the newest head counts. Whatever row becomes the last of its kind carries the head on.

import type { actors, ledgers } from "./engine.js";
import { withLedgers } from "./engine.js";
import { CHUNK_BYTES_MAX, KEY_BYTES_MAX } from "./limits.js";

/** What the platform bills: rows read and written, and alarms set, each of which is a row written too. */
export interface Counted {
  read: number;
  written: number;
  alarms: number;
}

/** What a key holds. */
interface Held {
  v: Uint8Array;
  /** How many pieces the value has, where it has more than this one. */
  n?: number;
  /** The ledger's head. */
  h?: Uint8Array;
  /** The key, where it is too long to be one. */
  k?: string;
}

/** As much of the platform's storage as is used: tests have one of their own. */
export interface Storage {
  kv: {
    get(key: string): unknown;
    put(key: string, value: unknown): void;
    delete(key: string): boolean;
    list(options: { start?: string; end?: string; reverse?: boolean; limit?: number }): Iterable<[string, unknown]>;
  };
  transactionSync<T>(work: () => T): T;
  setAlarm(at: number): Promise<void>;
}

export interface Loaded {
  name: string | undefined;
  head: Uint8Array | undefined;
  parcels: { number: bigint; bytes: Uint8Array }[];
}

/** A limit of as many rows or more is none. */
const ROWS_MAX = 2 ** 31;

/** Reads which of two heads is the newer one. */
export type Edition = (head: Uint8Array) => bigint;

export class Store {
  private head: Uint8Array | undefined;
  /** The name of the row that the newest head rides on; undefined where it has a row of its own. */
  private headAt: string | undefined;
  /** The last name of each kind. */
  private readonly last = new Map<string, string>();
  /** Since the object was made. */
  readonly counted: Counted = { read: 0, written: 0, alarms: 0 };

  constructor(
    private readonly storage: Storage,
    private readonly edition: Edition = (head) => withLedgers((exports) => exports.edition(head)),
  ) {}

  /** Reads what belongs to the ledger. Nothing is created for an actor that has never written. */
  load(): Loaded {
    const head = this.loadHead();
    const parcels = this.list("p/", "p0").map(([key, held]) => ({ number: BigInt(key.slice(2)), bytes: this.whole(key, held) }));
    if (head === undefined) return { name: undefined, head: undefined, parcels };
    const { name, rest } = divided(head);
    return { name, head: rest, parcels };
  }

  private loadHead(): Uint8Array | undefined {
    this.last.clear();
    const found: { at: string | undefined; head: Uint8Array }[] = [];
    const own = this.get("h");
    if (own !== undefined) found.push({ at: undefined, head: own.v });
    for (let end = "r0"; ; ) {
      const [row] = this.list("r/", end, { reverse: true, limit: 1 });
      if (row === undefined) break;
      const [name, held] = row;
      const kind = kindOf(name);
      this.last.set(kind, name);
      if (held.h !== undefined) found.push({ at: name, head: held.h });
      end = `r/${kind}`;
    }
    const newest = found.map((one) => ({ ...one, edition: this.edition(divided(one.head).rest) })).sort((a, b) => (a.edition > b.edition ? -1 : 1))[0];
    this.head = newest?.head;
    this.headAt = newest?.at;
    return this.head;
  }

  /** The actor's rows in a range. */
  rows(range: actors.Range): actors.Row[] {
    if (range.end === `${range.start}\0` && range.limit > 0) {
      const key = nameOf(range.start);
      const held = this.get(key);
      return held === undefined ? [] : [{ key: range.start, value: this.whole(key, held) }];
    }
    const limit = range.limit < ROWS_MAX ? { limit: range.limit } : {};
    const found = this.list(nameOf(range.start), nameOf(range.end), { reverse: range.descending, ...limit });
    return found.map(([key, held]) => ({ key: held.k ?? key.slice(2), value: this.whole(key, held) }));
  }

  /** Makes all of this durable, or none of it. */
  commit(name: string, rows: actors.Write[], ledger: ledgers.Writes | undefined, alarm: bigint | undefined): void {
    if (rows.length === 0 && ledger === undefined && alarm === undefined) return;
    const last = new Map(this.last);
    const head = ledger === undefined ? this.head : joined(name, ledger.head);
    let headAt = this.headAt;
    let rides = false;
    this.storage.transactionSync(() => {
      for (const { key, value } of rows) {
        const name = nameOf(key);
        const kind = kindOf(name);
        if (value === undefined) {
          this.remove(name);
          // The head's row is gone: it gets one of its own.
          if (headAt === name) rides = false;
          if (headAt === name || last.get(kind) === name) last.delete(kind);
          continue;
        }
        const before = last.get(kind);
        const isNew = before !== undefined && isAfter(name, before);
        const isLast = before === undefined ? !this.hasAfter(name) : isNew || name === before;
        if (isLast) last.set(kind, name);
        const carried = isLast ? head : undefined;
        this.put(name, key, value, carried, isNew);
        if (carried !== undefined) {
          rides = true;
          headAt = name;
        }
      }
      const headIsGone = headAt !== undefined && !rides && rows.some(({ key }) => nameOf(key) === headAt);
      if (head !== undefined && !rides && (ledger !== undefined || headIsGone)) {
        this.set("h", { v: head });
        headAt = undefined;
      }
      if (ledger?.put !== undefined) this.pieces(`p/${ledger.put.number}`, ledger.put.bytes, {});
      for (const number of ledger?.remove ?? []) this.remove(`p/${number}`);
      if (alarm !== undefined) this.setAlarm(alarm);
    });
    this.head = head;
    this.headAt = headAt;
    this.last.clear();
    last.forEach((key, kind) => this.last.set(kind, key));
  }

  /** Sets the object's alarm, which replaces the one that was set. */
  setAlarm(at: bigint): void {
    this.counted.alarms += 1;
    // It takes effect with the transaction; a failure reaches the output gate, and nothing of the turn leaves.
    void this.storage.setAlarm(Number(at));
  }

  private hasAfter(name: string): boolean {
    const [next] = this.list(`${name}\0`, "r0", { limit: 1 });
    return next !== undefined && kindOf(next[0]) === kindOf(name);
  }

  /** Writes a row of the actor. What is there already in the same words is not written again: that would cost as much. */
  private put(name: string, key: string, value: Uint8Array, head: Uint8Array | undefined, isNew: boolean): void {
    const before = isNew ? undefined : this.get(name);
    if (before !== undefined) {
      if (head === undefined && same(this.whole(name, before), value)) return;
      this.removePieces(name, before, 1);
    }
    const carried = head ?? before?.h;
    this.pieces(name, value, {
      ...(carried === undefined ? {} : { h: carried }),
      ...(name.slice(2) === key ? {} : { k: key }),
    });
  }

  private pieces(name: string, value: Uint8Array, more: { h?: Uint8Array; k?: string }): void {
    const count = Math.ceil(value.length / CHUNK_BYTES_MAX);
    for (let piece = 1; piece < count; piece += 1) {
      this.set(pieceOf(name, piece), { v: value.slice(piece * CHUNK_BYTES_MAX, (piece + 1) * CHUNK_BYTES_MAX) });
    }
    this.set(name, count > 1 ? { v: value.slice(0, CHUNK_BYTES_MAX), n: count, ...more } : { v: value, ...more });
  }

  private remove(name: string): void {
    const held = this.get(name);
    if (held === undefined) return;
    this.removePieces(name, held, 1);
    this.counted.written += 1;
    this.storage.kv.delete(name);
  }

  private removePieces(name: string, held: Held, from: number): void {
    for (let piece = from; piece < (held.n ?? 1); piece += 1) {
      this.counted.written += 1;
      this.storage.kv.delete(pieceOf(name, piece));
    }
  }

  private whole(name: string, held: Held): Uint8Array {
    if (held.n === undefined) return held.v;
    const parts = [held.v];
    for (let piece = 1; piece < held.n; piece += 1) {
      const more = this.get(pieceOf(name, piece));
      if (more === undefined) throw new Error(`a piece of ${name} is missing`);
      parts.push(more.v);
    }
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
    return all;
  }

  private get(name: string): Held | undefined {
    this.counted.read += 1;
    return this.storage.kv.get(name) as Held | undefined;
  }

  private set(name: string, held: Held): void {
    this.counted.written += 1;
    // A view of a larger buffer would be stored with all of it.
    const v = held.v.byteLength === held.v.buffer.byteLength ? held.v : held.v.slice();
    this.storage.kv.put(name, { ...held, v });
  }

  private list(start: string, end: string, more: { reverse?: boolean; limit?: number } = {}): [string, Held][] {
    if (more.limit === 0 || !isAfter(end, start)) return [];
    const found = [...this.storage.kv.list({ start, end, ...more })] as [string, Held][];
    this.counted.read += Math.max(1, found.length);
    return found;
  }
}

/** What the keys begin with that are of one kind with this name's. */
function kindOf(name: string): string {
  const first = name.codePointAt(2);
  return first === undefined ? "" : String.fromCodePoint(first);
}

/** The order of the store, which is that of UTF-8, where JavaScript's is that of UTF-16. */
function isAfter(one: string, other: string): boolean {
  const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
  let place = 0;
  while (place < one.length && one[place] === other[place]) place += 1;
  return place < one.length && (place >= other.length || rank(one.charCodeAt(place)) > rank(other.charCodeAt(place)));
}

const text = new TextEncoder();

/** Under which name a row is stored. The platform bounds names; a longer key is cut, and told from its like by a hash. */
function nameOf(key: string): string {
  const name = `r/${key}`;
  // A character has three bytes at the most in UTF-8 for each of its units.
  if (name.length * 3 <= KEY_BYTES_MAX || text.encode(name).length <= KEY_BYTES_MAX) return name;
  let hash = 0xcbf29ce484222325n;
  for (const byte of text.encode(key)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const cut = new TextDecoder().decode(text.encode(name).subarray(0, KEY_BYTES_MAX - 32)).replace(/\ufffd+$/, "");
  return `${cut}~${hash.toString(16).padStart(16, "0")}`;
}

function pieceOf(name: string, piece: number): string {
  return `c/${name}/${String(piece).padStart(6, "0")}`;
}

/** A head as it is stored: with the actor's name before it. */
function joined(name: string, head: Uint8Array): Uint8Array {
  const prefix = text.encode(name);
  const all = new Uint8Array(2 + prefix.length + head.length);
  new DataView(all.buffer).setUint16(0, prefix.length);
  all.set(prefix, 2);
  all.set(head, 2 + prefix.length);
  return all;
}

function divided(stored: Uint8Array): { name: string; rest: Uint8Array } {
  const length = new DataView(stored.buffer, stored.byteOffset).getUint16(0);
  return { name: new TextDecoder().decode(stored.subarray(2, 2 + length)), rest: stored.subarray(2 + length) };
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}
