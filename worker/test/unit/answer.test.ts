import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env } from "../../src/address.js";
import { handOver } from "../../src/answer.js";
import { HAND_OVERS_MAX } from "../../src/limits.js";

/** An environment whose object is lost so many times. */
function env(losses: number, met: { times: number }): Env {
  const deliver = async (run: string, about: { tag: string }): Promise<unknown> => {
    met.times += 1;
    if (met.times <= losses) throw new Error("the object was reset");
    return { run, tag: about.tag };
  };
  return { EXECUTOR: { idFromName: (name: string) => name, get: () => ({ deliver }) } } as unknown as Env;
}

const outcome = { id: "c", answer: { tag: "err", val: { tag: "timed-out", val: "" } } } as const;

test("an answer is handed over again where the object was lost", async () => {
  const met = { times: 0 };
  assert.deepEqual(await handOver(env(2, met), "run/1", outcome), { run: "run/1", tag: "answered" });
  assert.equal(met.times, 3);
});

test("after some times the answer is given up: its lease will end", async () => {
  const met = { times: 0 };
  await assert.rejects(handOver(env(99, met), "run/1", outcome), /reset/);
  assert.equal(met.times, HAND_OVERS_MAX);
});
