import assert from "node:assert/strict";
import { test } from "node:test";
import { instance } from "../../src/engine.js";
import { Exchange } from "../../src/exchange.js";
import { settings } from "../../src/settings.js";

const given = settings({ STEPWELL_KIND: "dev" } as never);
const body = (text: string): Uint8Array => new TextEncoder().encode(text);
const request = { method: "POST", path: "/e/key", query: "", headers: [], body: body('{"name":"a"}') };
const open = (): Exchange => new Exchange(given, { now: 1_800_000_000_000n, entropy: [1n, 2n], request: request as never });

test("an exchange goes on in a fresh instance when its own has gone, as if nothing had happened", () => {
  const undisturbed = open();
  const asked = undisturbed.start();
  assert.equal(asked.tag, "ask");

  const disturbed = open();
  assert.deepEqual(disturbed.start(), asked);
  const before = instance("event-api", given);
  before.isGone = true;
  const answers = [{ tag: "err", val: { tag: "overloaded" } }] as never;
  assert.deepEqual(disturbed.resume(1_800_000_000_001n, answers), undisturbed.resume(1_800_000_000_001n, answers));
  assert.notEqual(instance("event-api", given), before);
  disturbed.free();
  undisturbed.free();
});
