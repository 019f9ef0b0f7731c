import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNK_BYTES_MAX, KEY_BYTES_MAX } from "../../src/limits.js";
import { Store, type Storage } from "../../src/store.js";
import { Chance } from "./chance.js";

/** A storage in memory that keeps its keys as SQLite does, and can be told to fail a transaction. */
class Memory implements Storage {
  held = new Map<string, unknown>();
  written = 0;
  alarm: number | undefined;
  fails = false;
  kv: Storage["kv"] = {
    get: (key) => this.held.get(key),
    put: (key, value) => {
      assert.ok(Buffer.byteLength(key) <= 2_048, `a key of ${Buffer.byteLength(key)} bytes`);
      const size = (value as { v: Uint8Array; h?: Uint8Array }).v.buffer.byteLength + ((value as { h?: Uint8Array }).h?.length ?? 0);
      assert.ok(size < 2_000_000, `a value of ${size} bytes`);
      this.written += 1;
      this.held.set(key, structuredClone(value));
    },
    delete: (key) => {
      this.written += 1;
      return this.held.delete(key);
    },
    list: ({ start = "", end, reverse = false, limit = Infinity }) => {
      const bytes = (text: string): Buffer => Buffer.from(text);
      const keys = [...this.held.keys()].filter((key) => bytes(key).compare(bytes(start)) >= 0 && (end === undefined || bytes(key).compare(bytes(end)) < 0));
      keys.sort((a, b) => bytes(a).compare(bytes(b)));
      if (reverse) keys.reverse();
      return keys.slice(0, limit).map((key) => [key, this.held.get(key)]);
    },
  };
  transactionSync<T>(work: () => T): T {
    const before = new Map(this.held);
    try {
      const made = work();
      if (this.fails) throw new Error("the disk is full");
      return made;
    } catch (error) {
      this.held = before;
      throw error;
    }
  }
  async setAlarm(at: number): Promise<void> {
    this.alarm = at;
  }
}

/** Heads of the tests: eight bytes, the edition. */
function head(edition: number): Uint8Array {
  const made = new Uint8Array(8);
  new DataView(made.buffer).setBigUint64(0, BigInt(edition));
  return made;
}
const edition = (head: Uint8Array): bigint => new DataView(head.buffer, head.byteOffset).getBigUint64(0);
const open = (memory: Memory): Store => new Store(memory, edition);
const bytes = (length: number, of = 7): Uint8Array => new Uint8Array(length).fill(of);
const ALL = { start: "", end: "\u{10ffff}", limit: 2 ** 32 - 1, descending: false };
const ledger = (of: number): { head: Uint8Array; remove: BigUint64Array } => ({ head: head(of), remove: new BigUint64Array() });

test("a turn of one row and a new head is one row written", () => {
  const memory = new Memory();
  const store = open(memory);
  store.load();
  for (let turn = 1; turn <= 5; turn += 1) store.commit("run/1", [{ key: `j/${turn}`, value: bytes(10) }], ledger(turn), undefined);
  assert.equal(memory.written, 5);
  assert.equal(store.counted.written, 5);
  const loaded = open(memory).load();
  assert.equal(loaded.name, "run/1");
  assert.equal(edition(loaded.head as Uint8Array), 5n);
});

test("what is stored already in the same words is not written again", () => {
  const memory = new Memory();
  const store = open(memory);
  store.load();
  store.commit("a/1", [{ key: "j/1", value: bytes(10) }], undefined, undefined);
  store.commit("a/1", [{ key: "j/1", value: bytes(10) }], undefined, undefined);
  assert.equal(memory.written, 1);
  store.commit("a/1", [{ key: "j/1", value: bytes(10, 8) }], undefined, undefined);
  assert.equal(memory.written, 2);
});

test("a value larger than a row is kept in pieces, and a smaller one in its stead leaves none", () => {
  const memory = new Memory();
  const store = open(memory);
  for (const length of [CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1, 3 * CHUNK_BYTES_MAX, 5, 2 * CHUNK_BYTES_MAX + 1]) {
    const value = bytes(length, length % 251);
    store.commit("a/1", [{ key: "j/1", value }], undefined, undefined);
    assert.deepEqual(open(memory).rows(ALL), [{ key: "j/1", value }]);
    assert.equal(memory.held.size, Math.ceil(length / CHUNK_BYTES_MAX), `${length} bytes`);
  }
  store.commit("a/1", [{ key: "j/1" }], undefined, undefined);
  assert.equal(memory.held.size, 0);
});

test("parcels come back, and go when they are not needed", () => {
  const memory = new Memory();
  open(memory).commit("a/1", [], { ...ledger(1), put: { number: 12n, bytes: bytes(2 * CHUNK_BYTES_MAX) } }, undefined);
  assert.deepEqual(open(memory).load().parcels, [{ number: 12n, bytes: bytes(2 * CHUNK_BYTES_MAX) }]);
  const store = open(memory);
  store.load();
  store.commit("a/1", [], { head: head(2), remove: new BigUint64Array([12n]) }, 77n);
  assert.deepEqual(open(memory).load().parcels, []);
  assert.equal(memory.alarm, 77);
});

test("a key that is longer than the platform allows is a row like any other", () => {
  const memory = new Memory();
  const store = open(memory);
  const long = (end: string): string => `want/${"\u{1f600}".repeat(KEY_BYTES_MAX / 4)}${end}`;
  const value = (of: number): Uint8Array => bytes(3, of);
  store.commit("a/1", [{ key: long("a"), value: value(1) }, { key: long("b"), value: value(2) }], ledger(1), undefined);
  for (const [end, of] of [["a", 1], ["b", 2]] as const) {
    const key = long(end);
    assert.deepEqual(open(memory).rows({ start: key, end: `${key}\0`, limit: 1, descending: false }), [{ key, value: value(of) }]);
  }
  assert.equal(open(memory).rows({ ...ALL, start: "want/", end: "want0" }).length, 2);
  assert.equal(edition(open(memory).load().head as Uint8Array), 1n);
});

test("whatever is written, refused and read again, rows and the newest head are there", () => {
  const chance = Chance.seeded();
  const names = ["a/1", "a/2", "a/3", "b/\u{1f600}", "b/\uff5e", "b/x", "c", "d", "a/1/x"];
  for (let world = 0; world < 300; world += 1) {
    const memory = new Memory();
    let store = open(memory);
    store.load();
    const model = new Map<string, Uint8Array>();
    let newest = 0;
    for (let turn = 1; turn <= 30; turn += 1) {
      const rows = Array.from({ length: chance.below(3) }, () => {
        const key = chance.of(names);
        return chance.below(4) === 0 ? { key } : { key, value: bytes(1 + chance.below(3), chance.below(256)) };
      });
      const writes = chance.below(3) > 0 ? ledger(turn) : undefined;
      memory.fails = chance.below(8) === 0;
      try {
        store.commit("a/1", rows, writes, undefined);
        for (const { key, value } of rows) value === undefined ? model.delete(key) : model.set(key, value);
        if (writes !== undefined) newest = turn;
      } catch (error) {
        if (!memory.fails) throw error;
      }
      memory.fails = false;
      if (chance.below(3) === 0) {
        store = open(memory);
        const { head } = store.load();
        assert.equal(head === undefined ? 0 : Number(edition(head)), newest, `the newest head; ${chance.told}`);
      }
      const sorted = [...model].sort(([a], [b]) => Buffer.from(a).compare(Buffer.from(b))).map(([key, value]) => ({ key, value }));
      assert.deepEqual(store.rows(ALL), sorted, chance.told);
      assert.deepEqual(store.rows({ ...ALL, descending: true, limit: 2 }), sorted.reverse().slice(0, 2), chance.told);
    }
  }
});
