// What a run costs, by count. The numbers are those of docs/CLOUDFLARE.md, and this test fails where they are not true any more:
// they cannot grow unseen. Each is what the platform bills, by its price list.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

/** Runs of each length, one after another. */
const RUNS = 20;
const LENGTHS = [1, 5, 50];

/** What a run tells the history. */
const HISTORY_LETTERS = 2;

/** Dollars for a million. */
const PRICES = { workerRequest: 0.3, objectRequest: 0.15, rowWritten: 1.0, rowRead: 0.001 };
/** What the free plan gives a day. */
const FREE = { requests: 100_000, rowsWritten: 100_000 };
const DAYS = 30;

test("what a run costs is what the page says", async (t) => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/CLOUDFLARE.md"), "utf8");
  // Leases and pauses as they are when it is deployed.
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "" });
  const app = await App.start(t, server);
  await server.over(await server.begin("t/steps", { steps: 1 }));
  const lines = [];
  for (const steps of LENGTHS) {
    const { cost, shared, cpuMs } = await measured(server, steps);
    t.diagnostic(`${JSON.stringify(cost)}, and of what events share ${JSON.stringify(shared)}; ${cpuMs.toFixed(1)} ms of CPU in all`);
    assert.ok(shared.confirmations <= 1 && shared.alarms <= 1, JSON.stringify(shared));
    lines.push(told(steps, cost));
  }
  const missing = lines.filter((line) => !page.includes(line));
  assert.deepEqual(missing, [], `docs/CLOUDFLARE.md does not say\n${missing.join("\n")}`);
  assert.ok(app.calls > 0);
});

/** The line of the page's table. */
function told(steps, { worker, objects, rows, alarms, read }) {
  const written = rows + alarms;
  const dollars = worker * PRICES.workerRequest + objects * PRICES.objectRequest + written * PRICES.rowWritten + read * PRICES.rowRead;
  const runsADay = Math.min(FREE.requests / (worker + objects), FREE.rowsWritten / written);
  const million = (runsADay * steps * DAYS) / 1e6;
  return `| ${steps} | ${worker} | ${objects} | ${rows} + ${alarms} | ${read} | $${(dollars / steps).toFixed(2)} | ${million.toFixed(2)} million |`;
}

/** What one run costs; and what its event has its share in: the stream's alarms, and confirmations of its letters. */
async function measured(server, steps) {
  const before = await server.probe("counts");
  const cpuBefore = server.cpuMs();
  for (let run = 1; run <= RUNS; run += 1) {
    await server.send({ name: "t/steps", data: { steps } });
    // The run is not asked whether it is over, which would count.
    await until("the run is over", async () => count(await server.probe("counts"), "run.answered") === count(before, "run.answered") + run * (steps + 1));
  }
  await until("everybody has been told", async () => {
    const { requests } = await server.probe("counts");
    return requests["stream.tell"] === before.requests["stream.tell"] + RUNS && requests["history.tell"] === before.requests["history.tell"] + RUNS * HISTORY_LETTERS;
  });
  const after = await server.probe("counts");
  const ofRun = (sum) => (sum(after) - sum(before)) / RUNS;
  const requests = (...names) => ofRun((counts) => names.reduce((sum, name) => sum + count(counts, name), 0));
  const rows = (what, ...kinds) => ofRun((counts) => kinds.reduce((sum, kind) => sum + counts.rows[kind][what], 0));
  const alarms = rows("alarms", "run", "history", "catalog");
  return {
    cost: {
      worker: requests("worker"),
      // An alarm that is set goes off, later.
      objects: requests("stream.ask", "stream.tell", "run.tell", "run.answered", "run.release", "history.tell") + alarms,
      rows: rows("written", "run", "stream", "history", "catalog"),
      alarms,
      read: rows("read", "run", "stream", "history"),
    },
    shared: { confirmations: requests("stream.confirm"), alarms: rows("alarms", "stream") },
    cpuMs: (server.cpuMs() - cpuBefore) / RUNS,
  };
}

function count({ requests }, name) {
  return requests[name] ?? 0;
}

test("who asks a run that is over, long after it was evicted, costs requests and reads alone", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const run = await server.begin("t/steps", { steps: 2 });
  await server.over(run);
  await until("its letters have arrived", async () => count(await server.probe("counts"), "history.tell") === HISTORY_LETTERS);
  assert.equal(app.calls, 3);
  await server.probe("evict", { name: `run/${run}` });
  const before = await server.probe("counts");
  for (let time = 0; time < 3; time += 1) assert.equal((await server.data(`/v1/runs/${run}`)).status, "Completed");
  const after = await server.probe("counts");
  assert.deepEqual([after.rows.run.written, after.rows.run.alarms], [before.rows.run.written, before.rows.run.alarms]);
});
