// Calls that take longer than a Worker may live behind a response, and alarms that the platform lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { assertWhole, named } from "./harness/journal.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

const kinds = async (server, run) => (await server.data(`/v1/runs/${run}/journal`)).map(({ entry }) => Object.keys(entry)[0]);

test("a call that takes too long is made again by a carrier, and those after it by carriers at once", async (t) => {
  const server = await Server.start(t, { STEPWELL_SLOW_CALL_MS: "400", STEPWELL_LEASE_MS: "1500" });
  const app = await App.start(t, server);
  const run = await server.begin("t/steps", { steps: 3, hold: "s1" });
  await until("the call was cut off and is made again", () => app.held.length === 2);
  const next = await server.begin("t/steps", { steps: 2, hold: "s0" });
  await until("the next one is held", () => app.held.length === 3);
  // Longer than a lease: who carries a call says so.
  const leases = async () => (await server.probe("counts")).requests["run.renew"] ?? 0;
  await until("leases are renewed", async () => (await leases()) >= 6);
  app.release();
  await assertWhole(server, app, run, named(3));
  await assertWhole(server, app, next, named(2));
  assert.deepEqual(app.ran(run), { s0: 1, s1: 2, s2: 1 });
  assert.deepEqual(app.ran(next), { s0: 1, s1: 1 });
  assert.deepEqual((await kinds(server, run)).filter((kind) => kind === "Redispatched").length, 1);
});

test("every call is carried where the settings say so, and a carrier that is killed is a lease that ends", async (t) => {
  const server = await Server.start(t, { STEPWELL_SLOW_CALL_MS: "0" });
  const app = await App.start(t, server);
  const run = await server.begin("t/steps", { steps: 3, hold: "s1" });
  await until("the call is held", () => app.held.length === 1);
  assert.ok((await server.probe("seen")).carried >= 2);
  await server.kill();
  app.release();
  await server.launch();
  await assertWhole(server, app, run, named(3));
  assert.deepEqual(app.ran(run), { s0: 1, s1: 2, s2: 1 });
});

test("an alarm that the platform lost is set again by the cron trigger", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const run = await server.begin("t/sleeper", { for: "2s" });
  await until("it sleeps", async () => (await kinds(server, run)).length === 3);
  const over = await server.begin("t/steps", { steps: 1 });
  await server.over(over);
  await server.probe("forget", { name: `run/${run}` });
  await server.probe("cron", {});
  await assertWhole(server, app, run, ["before", "after"]);
  const set = server.logged().filter(({ message }) => message === "an alarm was lost and is set again").map(({ run }) => run);
  assert.deepEqual(set, [run]);
});
