// What an object stores: one table, because every table and every index costs rows.
//
//   r/<key>          a row of the actor; `n` counts the pieces of a value that is too large for one row
//   c/<key>/<piece>  the second and later pieces of such a value, or of a parcel
//   h                the ledger's head, where it does not ride on a row of the actor
//   p/<number>       a parcel of letters
//
// A row written costs a thousand times what a row read costs. So the head rides (`h`) on a row that the turn writes anyway,
// where that row is the last of its kind: the last of those whose keys begin alike up to the first slash. At load the last row
// of each kind is looked at, and the newest head counts. Whatever row becomes the last of its kind carries the head on.

import type { actors, ledgers } from "./engine.js";
import { withLedgers } from "./engine.js";
import { CHUNK_BYTES_MAX } from "./limits.js";

/** Rows read and written by this isolate since it began: what the platform bills. */
export const counted = { read: 0, written: 0, alarms: 0 };

type Value = Uint8Array;

export interface Loaded {
  name: string | undefined;
  head: Uint8Array | undefined;
  parcels: { number: bigint; bytes: Uint8Array }[];
}

export class Store {
  private head: Uint8Array | undefined;
  /** The row that the newest head rides on; undefined where it has a row of its own. */
  private headAt: string | undefined;
  /** The last key of each kind. */
  private readonly last = new Map<string, string>();

  constructor(private readonly storage: DurableObjectStorage) {}

  /** Reads what belongs to the ledger. Nothing is created for an actor that has never written. */
  load(): Loaded {
    const head = this.loadHead();
    const parcels = this.exec("SELECT k, v, n FROM t WHERE k >= 'p/' AND k < 'p0'").map((row) => ({
      number: BigInt((row.k as string).slice(2)),
      bytes: this.whole(row),
    }));
    if (head === undefined) return { name: undefined, head: undefined, parcels };
    const length = new DataView(head.buffer, head.byteOffset).getUint16(0);
    const name = new TextDecoder().decode(head.subarray(2, 2 + length));
    return { name, head: head.subarray(2 + length), parcels };
  }

  private loadHead(): Uint8Array | undefined {
    this.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v BLOB, n INTEGER, h BLOB) WITHOUT ROWID");
    const held: { at: string | undefined; head: Uint8Array }[] = [];
    const own = this.exec("SELECT v FROM t WHERE k = 'h'")[0];
    if (own !== undefined) held.push({ at: undefined, head: bytes(own.v) });
    let end = "r0";
    for (;;) {
      const row = this.exec("SELECT k, h FROM t WHERE k >= 'r/' AND k < ? ORDER BY k DESC LIMIT 1", end)[0];
      if (row === undefined) break;
      const key = (row.k as string).slice(2);
      this.last.set(kindOf(key), key);
      if (row.h !== null) held.push({ at: key, head: bytes(row.h) });
      if (kindOf(key) === "") break;
      end = `r/${kindOf(key)}`;
    }
    const editions = held.map(({ head }) => {
      const length = new DataView(head.buffer, head.byteOffset).getUint16(0);
      return withLedgers((exports) => exports.edition(head.subarray(2 + length)));
    });
    let newest: number | undefined;
    editions.forEach((edition, place) => {
      if (newest === undefined || edition > (editions[newest] ?? 0n)) newest = place;
    });
    const found = newest === undefined ? undefined : held[newest];
    this.head = found?.head;
    this.headAt = found?.at;
    return this.head;
  }

  /** The actor's rows in a range. */
  rows(range: actors.Range): actors.Row[] {
    const order = range.descending ? "DESC" : "ASC";
    const query = `SELECT k, v, n FROM t WHERE k >= ? AND k < ? ORDER BY k ${order} LIMIT ?`;
    return this.exec(query, `r/${range.start}`, `r/${range.end}`, range.limit).map((row) => ({
      key: (row.k as string).slice(2),
      value: this.whole(row),
    }));
  }

  /** Makes all of this durable, or none of it. */
  commit(name: string, rows: actors.Write[], ledger: ledgers.Writes | undefined, alarm: bigint | undefined): void {
    if (rows.length === 0 && ledger === undefined && alarm === undefined) return;
    const last = new Map(this.last);
    let head = this.head;
    if (ledger !== undefined) {
      const prefix = new TextEncoder().encode(name);
      head = new Uint8Array(2 + prefix.length + ledger.head.length);
      new DataView(head.buffer).setUint16(0, prefix.length);
      head.set(prefix, 2);
      head.set(ledger.head, 2 + prefix.length);
    }
    let headAt = this.headAt;
    let rides = false;
    this.storage.transactionSync(() => {
      for (const write of rows) {
        const key = write.key;
        if (write.value === undefined) {
          this.remove(`r/${key}`);
          // The head's row is gone: it gets one of its own.
          if (headAt === key) rides = false;
          if (headAt === key || last.get(kindOf(key)) === key) last.delete(kindOf(key));
          continue;
        }
        const before = last.get(kindOf(key));
        const isLast = before === undefined ? !this.hasAfter(key) : key >= before;
        if (isLast) last.set(kindOf(key), key);
        const carries = isLast && head !== undefined;
        this.put(`r/${key}`, write.value, carries ? head : undefined);
        if (carries) {
          rides = true;
          headAt = key;
        }
      }
      const headIsGone = headAt !== undefined && !rides && rows.some((write) => write.key === headAt);
      if (head !== undefined && !rides && (ledger !== undefined || headIsGone)) {
        this.put("h", head, undefined);
        headAt = undefined;
      }
      if (ledger?.put !== undefined) this.put(`p/${ledger.put.number}`, ledger.put.bytes, undefined);
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
    counted.alarms += 1;
    counted.written += 1;
    // It takes effect with the transaction; a failure reaches the output gate, and nothing of the turn leaves.
    void this.storage.setAlarm(Number(at));
  }

  private hasAfter(key: string): boolean {
    const kind = kindOf(key);
    const end = kind === "" ? "r0" : `r/${kind.slice(0, -1)}0`;
    return this.exec("SELECT 1 FROM t WHERE k > ? AND k < ? LIMIT 1", `r/${key}`, end).length > 0;
  }

  private put(key: string, value: Value, head: Value | undefined): void {
    const pieces = Math.ceil(value.length / CHUNK_BYTES_MAX);
    for (let piece = 1; piece < pieces; piece += 1) {
      const part = value.slice(piece * CHUNK_BYTES_MAX, (piece + 1) * CHUNK_BYTES_MAX);
      const name = `c/${key}/${String(piece).padStart(6, "0")}`;
      this.exec("INSERT OR REPLACE INTO t (k, v) VALUES (?, ?)", name, part);
    }
    // What is there already in the same words is not written again: that would cost as much as writing it.
    this.exec(
      "INSERT INTO t (k, v, n, h) VALUES (?, ?, ?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v, n = excluded.n, " +
        "h = COALESCE(excluded.h, h) WHERE v IS NOT excluded.v OR n IS NOT excluded.n OR excluded.h IS NOT NULL",
      key,
      pieces > 1 ? value.slice(0, CHUNK_BYTES_MAX) : value,
      pieces > 1 ? pieces : null,
      head ?? null,
    );
  }

  private remove(key: string): void {
    this.exec("DELETE FROM t WHERE k = ?", key);
    this.exec("DELETE FROM t WHERE k >= ? AND k < ?", `c/${key}/`, `c/${key}0`);
  }

  private whole(row: Record<string, SqlStorageValue>): Value {
    const first = bytes(row.v);
    if (row.n === null || row.n === undefined) return first;
    const name = `c/${row.k as string}`;
    const more = this.exec("SELECT v FROM t WHERE k >= ? AND k < ? ORDER BY k LIMIT ?", `${name}/`, `${name}0`, (row.n as number) - 1);
    const parts = [first, ...more.map((piece) => bytes(piece.v))];
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private exec(query: string, ...bindings: (SqlStorageValue | Uint8Array)[]): Record<string, SqlStorageValue>[] {
    const cursor = this.storage.sql.exec(query, ...bindings);
    const rows = cursor.toArray();
    counted.read += cursor.rowsRead;
    counted.written += cursor.rowsWritten;
    return rows;
  }
}

/** What keys of one kind begin with. */
function kindOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}

function bytes(value: SqlStorageValue | undefined): Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array();
}
