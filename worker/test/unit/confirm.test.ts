import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env } from "../../src/address.js";
import { confirmLater, takeConfirmations } from "../../src/confirm.js";
import { CONFIRMS_MAX } from "../../src/limits.js";

/** An environment whose objects note what is confirmed. */
function env(told: [string, bigint[]][]): Env {
  const space = { idFromName: (name: string) => name, get: (name: string) => ({ confirm: async (numbers: bigint[]) => told.push([name, numbers]) }) };
  return { EVENT_API: space, SCHEDULER: space, EXECUTOR: space } as unknown as Env;
}

test("confirmations go together, and each once", async () => {
  const told: [string, bigint[]][] = [];
  await Promise.all([confirmLater(env(told), "stream/a", [1n]), confirmLater(env(told), "stream/a", [2n, 3n]), confirmLater(env(told), "stream/b", [1n])]);
  assert.deepEqual(told, [["stream/a", [1n, 2n, 3n]], ["stream/b", [1n]]]);
  assert.deepEqual(takeConfirmations("stream/a"), []);
});

test("a message to the sender takes them along", async () => {
  const told: [string, bigint[]][] = [];
  const waiting = confirmLater(env(told), "stream/a", [1n]);
  assert.deepEqual(takeConfirmations("stream/a"), [1n]);
  await waiting;
  assert.deepEqual(told, []);
});

test("many do not wait", async () => {
  const told: [string, bigint[]][] = [];
  const waiting = confirmLater(env(told), "stream/a", [0n]);
  await confirmLater(env(told), "stream/a", Array.from({ length: CONFIRMS_MAX - 1 }, (_, place) => BigInt(place + 1)));
  assert.deepEqual(told.map(([name, numbers]) => [name, numbers.length]), [["stream/a", CONFIRMS_MAX]]);
  await waiting;
  assert.equal(told.length, 1);
});
