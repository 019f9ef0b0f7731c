// What the platform limits is an answer with a code of ours, or is not noticed at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { assertWhole, named } from "./harness/journal.mjs";
import { Server } from "./harness/server.mjs";

const MIB = 1 << 20;
/** As in src/limits.ts. */
const BODY_BYTES_MAX = 16 * MIB;

test("what is larger than a row of the platform comes back whole, also to an object that was evicted", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  // An event of nearly three rows' size beside others, and step results that are larger than one.
  const text = Array.from({ length: 2.9 * MIB }, (_, place) => "abcdefghij"[place % 10]).join("");
  const [event] = await server.send([{ name: "t/unheard", data: { text } }, { name: "t/unheard" }]);
  const run = await server.begin("t/steps", { steps: 3, bytes: 2.5 * MIB });
  const { journal } = await assertWhole(server, app, run, named(3));
  for (const name of ["stream/0", `run/${run}`]) await server.probe("evict", { name });
  assert.equal((await server.data(`/v1/events/${event}`)).data.text, text);
  assert.deepEqual(await server.data(`/v1/runs/${run}/journal`), journal);
  assert.deepEqual(app.ran(run), { s0: 1, s1: 1, s2: 1 });
});

test("a body that an isolate could not hold is refused with a code, and one that it can hold is taken", async (t) => {
  const server = await Server.start(t);
  const events = (bytes) => {
    const [most, frame] = [2 * MIB, JSON.stringify([{ name: "t/unheard", data: { x: "" } }]).length];
    return Array.from({ length: Math.ceil(bytes / most) }, (_, place) => ({ name: "t/unheard", data: { x: "x".repeat(Math.min(most, bytes - place * most) - frame) } }));
  };
  const taken = await server.ask("POST", "/e/key", events(BODY_BYTES_MAX));
  assert.equal(taken.status, 200, JSON.stringify(taken.json));
  assert.equal(taken.json.ids.length, 8);
  const refused = await server.ask("POST", "/e/key", events(BODY_BYTES_MAX + MIB));
  assert.deepEqual([refused.status, refused.json.code], [413, "body_too_large"]);
  // The same where nobody says beforehand how much it will be.
  const text = new Blob([JSON.stringify(events(BODY_BYTES_MAX + MIB))]);
  const unannounced = await fetch(`${server.origin}/e/key`, { method: "POST", body: text.stream(), duplex: "half" });
  assert.deepEqual([unannounced.status, (await unannounced.json()).code], [413, "body_too_large"]);
  assert.equal((await server.send({ name: "t/unheard" })).length, 1);
});
