// Schedules: their objects wake by themselves, whatever was evicted meanwhile, and nobody pays for them when nothing is due.

import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

const CRONS = 12;
const MINUTE_MS = 60_000;
/** What a slow machine takes for all that comes before the minute is over. */
const AHEAD_MS = 15_000;

test("schedules start a run each minute over evictions, and a catalog that is read again costs them nothing", async (t) => {
  const server = await Server.start(t);
  await until("the minute has time left", () => MINUTE_MS - (Date.now() % MINUTE_MS) > AHEAD_MS);
  const due = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
  const app = await App.start(t, server, { crons: CRONS });
  const requests = async (name) => (await server.probe("counts")).requests[name] ?? 0;
  await until("every schedule is planned", async () => (await requests("cron.tell")) === CRONS);

  // Whoever asks for the catalog has its object made again, from its rows, and nobody hears of it.
  const rows = async () => (await server.probe("counts")).rows;
  const [told, before] = [await requests("cron.tell"), await rows()];
  for (let time = 0; time < 3; time += 1) {
    await server.probe("evict", { name: "catalog/0" });
    const { status, json } = await server.ask("GET", "/dev");
    assert.equal(status, 200);
    assert.equal(json.functions.filter(({ slug }) => slug.startsWith("t-cron")).length, CRONS);
  }
  assert.equal(await requests("cron.tell"), told);
  const after = await rows();
  assert.deepEqual([after.catalog.written, after.catalog.alarms], [before.catalog.written, before.catalog.alarms]);
  assert.deepEqual([after.cron.written, after.cron.alarms], [before.cron.written, before.cron.alarms]);

  // One is evicted, another one loses its alarm as well, and the cron trigger finds it.
  await server.probe("evict", { name: "cron/t-cron0" });
  await server.probe("forget", { name: "cron/t-cron1" });
  await server.probe("evict", { name: "cron/t-cron1" });
  await server.probe("cron", {});
  const set = server.logged().filter(({ message }) => message === "an alarm was lost and is set again").map(({ actor }) => actor);
  assert.deepEqual(set, ["cron/t-cron1"]);
  assert.ok(Date.now() < due, "the machine is too slow for the minute");

  const names = Array.from({ length: CRONS }, (_, place) => `cron${place}`).sort();
  await until("all have started", () => new Set(app.ticks.map(({ name }) => name)).size === CRONS, due - Date.now() + 30_000);
  const first = app.ticks.filter(({ scheduled }) => Date.parse(scheduled) === due);
  assert.deepEqual(first.map(({ name }) => name).sort(), names, "one run for each");
  for (const { name, run, at } of first) {
    assert.ok(at >= due, `${name} was called ${due - at} ms early`);
    assert.equal((await server.over(run)).status, "Completed");
  }
});
