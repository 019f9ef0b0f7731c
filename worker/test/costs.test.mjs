// What a run costs, by count. The numbers are those of docs/CLOUDFLARE.md, and this test fails where they are not true any more:
// they cannot grow unseen. Each is what the platform bills, by its price list.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

/** Runs of each length, one after another; the most common cost is what counts. */
const RUNS = 15;
const LENGTHS = [1, 5, 50];

/** Dollars for a million. */
const PRICES = { workerRequest: 0.3, objectRequest: 0.15, rowWritten: 1.0, rowRead: 0.001 };
/** What the free plan gives a day. */
const FREE = { requests: 100_000, rowsWritten: 100_000 };
const DAYS = 30;
/** As in src/limits.ts. */
const CATALOG_AGE_MS = 5_000;

test("what a run costs is what the page says", async (t) => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/CLOUDFLARE.md"), "utf8");
  // Leases and pauses as they are when it is deployed.
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "" });
  const app = await App.start(t, server);
  await server.over(await server.begin("t/steps", { steps: 1 }));
  const [lines, began, first] = [[], Date.now(), await server.probe("counts")];
  for (const steps of LENGTHS) {
    const { cost, shared, cpuMs } = await measured(server, steps);
    t.diagnostic(`${JSON.stringify(cost)}, and of what events share ${JSON.stringify(shared)}; ${cpuMs.toFixed(1)} ms of CPU in all`);
    assert.ok(shared.confirmations <= 1 && shared.alarms <= 1, JSON.stringify(shared));
    lines.push(told(steps, cost));
    // Alone on its stream an event has an alarm and a confirmation to itself.
    if (steps === 5) lines.push(`five steps cost $${((dollars(cost) + PRICES.rowWritten + 2 * PRICES.objectRequest) / steps).toFixed(2)} a million then`);
  }
  // One that lasts is remembered by its object, and by the history from the beginning.
  const releases = async () => count(await server.probe("counts"), "run.release");
  const released = await releases();
  const lasting = await costOfOne(server, 5, { hold: "s2" }, async () => {
    await until("nobody guards the run any more", async () => (await releases()) > released);
    app.release();
  });
  lines.push(told("5, in more than 3 s", lasting, 5));
  // The catalog reaches the isolate without a read for each request: it is looked after from time to time.
  const reads = count(await server.probe("counts"), "catalog.catalog") - count(first, "catalog.catalog");
  assert.ok(reads <= 1 + (Date.now() - began) / CATALOG_AGE_MS, `the catalog was read ${reads} times for ${LENGTHS.length * RUNS + 1} events`);
  const missing = lines.filter((line) => !page.includes(line));
  assert.deepEqual(missing, [], `docs/CLOUDFLARE.md does not say\n${missing.join("\n")}`);
  assert.ok(app.calls > 0);
});

/** A million runs. */
function dollars({ worker, objects, rows, alarms, read }) {
  return worker * PRICES.workerRequest + objects * PRICES.objectRequest + (rows + alarms) * PRICES.rowWritten + read * PRICES.rowRead;
}

/** The line of the page's table. */
function told(what, cost, steps = what) {
  const { worker, objects, rows, alarms, read } = cost;
  const runsADay = Math.min(FREE.requests / (worker + objects), FREE.rowsWritten / (rows + alarms));
  const million = (runsADay * steps * DAYS) / 1e6;
  return `| ${what} | ${worker} | ${objects} | ${rows} + ${alarms} | ${read} | $${(dollars(cost) / steps).toFixed(2)} | ${million.toFixed(2)} million |`;
}

/** What a run costs, most of them; and what its event has its share in: the stream's alarms, and confirmations of its letters. */
async function measured(server, steps) {
  const [first, cpuBefore] = [await server.probe("counts"), server.cpuMs()];
  const seen = new Map();
  for (let run = 1; run <= RUNS; run += 1) {
    const cost = JSON.stringify(await costOfOne(server, steps));
    seen.set(cost, (seen.get(cost) ?? 0) + 1);
  }
  const last = await server.probe("counts");
  // On a busy machine one or the other takes so long that it is given an alarm.
  const [most] = [...seen].sort(([, a], [, b]) => b - a)[0];
  return {
    cost: JSON.parse(most),
    shared: {
      confirmations: (count(last, "stream.confirm") - count(first, "stream.confirm")) / RUNS,
      alarms: (last.rows.stream.alarms - first.rows.stream.alarms) / RUNS,
    },
    cpuMs: (server.cpuMs() - cpuBefore) / RUNS,
  };
}

async function costOfOne(server, steps, more = {}, meanwhile = async () => undefined) {
  const before = await server.probe("counts");
  await server.send({ name: "t/steps", data: { steps, ...more } });
  await meanwhile();
  // The run is not asked whether it is over, which would count.
  const after = await until("the run is over, and everybody has been told", async () => {
    const now = await server.probe("counts");
    const since = (name) => count(now, name) - count(before, name);
    const isOver = since("run.answered") === steps + 1 && since("stream.tell") === 1 && since("history.tell") === 1 + since("run.release");
    return isOver && now;
  });
  const requests = (...names) => names.reduce((sum, name) => sum + count(after, name) - count(before, name), 0);
  const rows = (what, ...kinds) => kinds.reduce((sum, kind) => sum + after.rows[kind][what] - (before.rows[kind]?.[what] ?? 0), 0);
  const alarms = rows("alarms", "run", "history", "catalog");
  return {
    worker: requests("worker"),
    // An alarm that is set goes off, later.
    objects: requests("stream.ask", "stream.tell", "run.tell", "run.answered", "run.release", "history.tell") + alarms,
    rows: rows("written", "run", "stream", "history", "catalog"),
    alarms,
    read: rows("read", "run", "stream", "history"),
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
  await until("its letters have arrived", async () => count(await server.probe("counts"), "history.tell") >= 1);
  assert.equal(app.calls, 3);
  await server.probe("evict", { name: `run/${run}` });
  const before = await server.probe("counts");
  for (let time = 0; time < 3; time += 1) assert.equal((await server.data(`/v1/runs/${run}`)).status, "Completed");
  const after = await server.probe("counts");
  assert.deepEqual([after.rows.run.written, after.rows.run.alarms], [before.rows.run.written, before.rows.run.alarms]);
});
