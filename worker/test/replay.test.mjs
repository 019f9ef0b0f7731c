// The engine as this Worker's modules decides what the linked engine decides: whole simulated histories, byte for byte.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Server } from "./harness/server.mjs";

/** Random worlds that are compared; replay/ compares more of them in wasmtime. */
const SEEDS = 10;
const ROOT = join(import.meta.dirname, "../..");
const SIMULATOR = process.env.STEPWELL_SIM ?? join(ROOT, "target/release/stepwell-sim");

/** Seeds that once failed. */
function regressions() {
  const lines = readFileSync(join(ROOT, "sim/regressions.txt"), "utf8").split("\n");
  return lines.map((line) => line.split("#")[0].trim()).filter((seed) => seed !== "");
}

test("the modules in workerd decide what the linked engine decides", async (t) => {
  const server = await Server.start(t);
  const seeds = [...Array.from({ length: SEEDS }, (_, place) => `${place + 1}`), ...regressions()];
  let steps = 0;
  for (const seed of seeds) {
    const script = record(server.dir, seed);
    const foot = JSON.parse(script.trimEnd().split("\n").at(-1));
    const played = await server.probe("replay", { script });
    assert.equal(played.difference, undefined, `seed ${seed}`);
    assert.equal(played.sha256, foot.sha256, `seed ${seed}`);
    steps += played.steps;
  }
  assert.ok(steps > 1_000, `only ${steps} steps`);
  t.diagnostic(`${seeds.length} worlds, ${steps} calls`);

  // And a script with another word in it is not the same.
  const lines = record(server.dir, "1").split("\n");
  const place = lines.findIndex((line) => line.includes('"owing":'));
  lines[place] = lines[place].replace('"owing":', '"owes":');
  const tampered = await server.probe("replay", { script: lines.join("\n") });
  assert.match(tampered.difference, new RegExp(`^line ${place + 1}: `));
});

/** `world`: a seed, and its home where it is not the seed's own. */
function record(dir, world) {
  const file = join(dir, "script.jsonl");
  execFileSync(SIMULATOR, ["--seed", ...world.split(/\s+/).flatMap((word, place) => (place ? ["--home", word] : [word])), "--record", file], { stdio: "pipe" });
  return readFileSync(file, "utf8");
}
