// What is deployed is what is tested: wrangler.toml, the page that describes it, and the Worker of the tests agree.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLASSES, COMPATIBILITY_DATE, VARIABLES } from "../bundle.mjs";

const ROOT = join(import.meta.dirname, "../..");
const wrangler = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
const page = readFileSync(join(ROOT, "docs/CLOUDFLARE.md"), "utf8");

test("wrangler.toml binds and creates the classes of the Worker, at the same date", () => {
  const bound = [...wrangler.matchAll(/name = "(\w+)", class_name = "(\w+)"/g)].map(([, name, made]) => [name, made]);
  assert.deepEqual(Object.fromEntries(bound), CLASSES);
  const created = wrangler.match(/new_sqlite_classes = \[(.*)\]/)[1].match(/\w+/g);
  assert.deepEqual(created, Object.values(CLASSES));
  assert.equal(wrangler.match(/compatibility_date = "(.*)"/)[1], COMPATIBILITY_DATE);
});

test("every variable has its line in the page, and the page has no other", () => {
  const table = page.split("\n").filter((line) => line.startsWith("| `STEPWELL_")).map((line) => line.split(" | ")[0]);
  const described = table.flatMap((cell) => cell.match(/STEPWELL_\w+/g));
  assert.deepEqual(described.sort(), [...VARIABLES].sort());
});

test("what the page says of the Worker's bounds is what they are", () => {
  const limits = readFileSync(join(ROOT, "worker/src/limits.ts"), "utf8");
  const bound = (name) => Number(limits.match(new RegExp(`${name} = ([\\d_]+)`))[1].replaceAll("_", ""));
  assert.ok(page.includes(`after ${bound("CHAIN_MS_MAX") / 1_000} s or ${bound("CHAIN_REQUESTS_MAX")} requests`));
  assert.ok(page.includes(`cut off at ${bound("SLOW_CALL_MS") / 1_000} s`));
  assert.ok(page.includes(`for ${bound("GUARD_MS") / 1_000} s at most`));
  assert.ok(page.includes(`looked after every ${bound("CATALOG_AGE_MS_MAX") / 1_000} s`));
});
