import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

// Where `cargo xtask test` starts it.
const WORKER = process.cwd();

test("every code that the Worker answers with has a page", () => {
  const sources = readdirSync(join(WORKER, "src")).map((file) => readFileSync(join(WORKER, "src", file), "utf8"));
  const codes = new Set(sources.flatMap((source) => [...source.matchAll(/(?:code[:=]|code =|===|Unreadable\()\s*"([a-z]+(?:_[a-z]+)*)"/g)].map(([, code]) => code as string)));
  for (const known of ["settings_missing", "engine_fault", "overloaded", "body_too_large", "body_timeout"]) assert.ok(codes.has(known), `${known} is not found in the sources`);
  for (const code of codes) {
    if (!code.includes("_") && code !== "overloaded") continue;
    assert.ok(existsSync(join(WORKER, "../docs/errors", `${code}.md`)), `${code} has no page in docs/errors`);
  }
});
