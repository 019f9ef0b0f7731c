// What must hold of a run, whatever happened to the server meanwhile.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const idOf = (step) => createHash("sha1").update(step).digest("hex");

/** When each step of a journal was recorded, by its id: the first result counts. */
export function recorded(journal) {
  const found = new Map();
  for (const { at_ms, entry } of journal) {
    for (const { steps = [] } of Object.values(entry)) {
      for (const step of steps) {
        const isResult = ["Ran", "Stored", "Failed"].some((kind) => step.what?.[kind] !== undefined);
        if (isResult && !found.has(step.id)) found.set(step.id, at_ms);
      }
    }
  }
  return found;
}

/** Reads a run to its end, and asserts that it completed, that it has these steps, and that none ran after it was recorded. */
export async function assertWhole(server, app, run, steps) {
  const summary = await server.over(run);
  const journal = await server.data(`/v1/runs/${run}/journal`);
  const tell = () => `${run}: ${JSON.stringify(summary)}\n${JSON.stringify(journal, null, 1)}\n${JSON.stringify(app.executions.filter((one) => one.run === run))}`;
  assert.equal(summary.status, "Completed", tell());
  const known = recorded(journal);
  for (const step of steps) assert.ok(known.has(idOf(step)), `${step} is not recorded: ${tell()}`);
  for (const { step, at } of app.executions.filter((one) => one.run === run)) {
    assert.ok(at <= known.get(idOf(step)), `${step} ran at ${at} although it was recorded: ${tell()}`);
  }
  return { summary, journal };
}

/** As many steps of the function `steps`. */
export const named = (count) => Array.from({ length: count }, (_, place) => `s${place}`);
