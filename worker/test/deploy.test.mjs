// What is deployed is what is tested: wrangler.toml, the page that describes it, and the Worker of the tests agree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
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
  assert.equal(limits.match(/BODY_BYTES_MAX = (\d+) << 20/)[1], page.match(/body may have (\d+) MB/)[1]);
  assert.ok(page.includes(`looked after every ${bound("CATALOG_AGE_MS_MAX") / 1_000} s`));
});

test("wrangler would deploy what was built, with every binding and no module left behind", () => {
  const program = join(ROOT, "worker/tools/node_modules/wrangler/bin/wrangler.js");
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_SEND_ERROR_REPORTS: "false", WRANGLER_HIDE_BANNER: "true", CI: "1" };
  const args = [program, "deploy", "--dry-run", "--config", join(ROOT, "wrangler.toml")];
  const said = execFileSync(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...quiet }, encoding: "utf8" });
  for (const [binding, made] of Object.entries(CLASSES)) assert.ok(said.includes(`env.${binding} (${made})`), said);
  const modules = readdirSync(join(ROOT, "worker/dist")).filter((file) => file.endsWith(".wasm"));
  assert.ok(modules.length > 4);
  for (const file of modules) assert.match(said, new RegExp(`${file} +│ compiled-wasm `));
  assert.match(said, /STEPWELL_KIND \("cloud"\)/);
  const kib = Number(said.match(/gzip: ([\d.]+) KiB/)[1]);
  assert.ok(Math.abs(kib / 1_000 - Number(page.match(/today about ([\d.]+) MB/)[1])) < 0.25, `${kib} KiB gzipped`);
});
