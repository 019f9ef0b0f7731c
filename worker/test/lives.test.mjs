// Objects that lose their memory, alarms that fail, many that are due at once, and a runtime that is killed.

import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { assertWhole, named } from "./harness/journal.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

test("objects that are evicted in mid-run are made again from their rows", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const held = await server.begin("t/steps", { steps: 4, hold: "s2" });
  const sleeping = await server.begin("t/sleeper", { for: "4s" });
  const waiting = await server.begin("t/waiter", { key: "k" });
  await until("a step is in flight", () => app.held.length === 1);
  await until("one sleeps", async () => (await server.data(`/v1/runs/${sleeping}/journal`)).length === 3);
  await until("one waits", async () => (await server.data(`/v1/runs/${waiting}/journal`)).length === 2);
  const { made } = await server.probe("seen");
  const names = Object.keys(made);
  assert.ok(names.some((name) => name.startsWith("waits/")) && names.includes("catalog/0") && names.includes("history/0"), names.join());
  for (const name of names) await server.probe("evict", { name });

  app.release();
  await server.send({ name: "t/wake", data: { key: "k" } });
  await assertWhole(server, app, held, named(4));
  await assertWhole(server, app, waiting, ["after"]);
  await assertWhole(server, app, sleeping, ["before", "after"]);
  // The answer of the call that was in flight found its run again: nothing was called twice.
  assert.deepEqual(app.ran(held), { s0: 1, s1: 1, s2: 1, s3: 1 });
  const { made: again } = await server.probe("seen");
  for (const name of [`run/${held}`, `run/${sleeping}`, `run/${waiting}`]) assert.equal(again[name], 2, name);
});

test("runs go on while their objects are evicted again and again", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const runs = [];
  for (let n = 0; n < 5; n += 1) runs.push(await server.begin("t/steps", { steps: 20 }));
  while (app.returned < 5 * 20) {
    const before = app.returned;
    const { made } = await server.probe("seen");
    for (const name of Object.keys(made)) await server.probe("evict", { name });
    await until("a step more", () => app.returned > before || app.returned === 5 * 20);
  }
  for (const run of runs) {
    await assertWhole(server, app, run, named(20));
    // An answer finds its run again.
    assert.deepEqual(app.ran(run), Object.fromEntries(named(20).map((step) => [step, 1])));
  }
});

test("alarms whose handling fails come again, and nothing is lost", async (t) => {
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "600" });
  const app = await App.start(t, server);
  const sleeping = await server.begin("t/sleeper", { for: "2s" });
  await until("it sleeps", async () => (await server.data(`/v1/runs/${sleeping}/journal`)).length === 3);
  const journal = await server.data(`/v1/runs/${sleeping}/journal`);
  const rung = async () => (await server.probe("seen")).alarms[`run/${sleeping}`] ?? 0;
  const before = await rung();
  // One is lost with its object, which the platform makes good; the others fail in our own code, and we see to them: the
  // platform would give up after six.
  await server.probe("lose", { name: `run/${sleeping}`, times: 1 });
  await server.probe("fail", { name: `run/${sleeping}`, times: 8 });
  const { journal: whole } = await assertWhole(server, app, sleeping, ["before", "after"]);
  assert.deepEqual(whole.slice(0, journal.length), journal);
  assert.deepEqual(app.ran(sleeping), { before: 1, after: 1 });
  assert.equal((await server.probe("seen")).pending, 0);
  assert.ok((await rung()) - before >= 10, "it went off again and again");
});

test("a call whose Worker vanished is made again after its lease, and alarms see to it", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const run = await server.begin("t/steps", { steps: 3, hold: "s1" });
  await until("a step is in flight", () => app.held.length === 1);
  await server.kill();
  app.release();
  await server.launch();
  const { journal } = await assertWhole(server, app, run, named(3));
  assert.deepEqual(app.ran(run), { s0: 1, s1: 2, s2: 1 });
  assert.equal(journal.filter(({ entry }) => entry.Redispatched !== undefined).length, 1);
});

test("a thousand sleepers that are due at once wake within a second of it, half of them", async (t) => {
  // A machine that others keep busy says nothing about how long this takes.
  const isBusy = loadavg()[0] > availableParallelism() + 1;
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "20000" });
  const app = await App.start(t, server);
  const count = 1_000;
  const batch = 50;
  const nap = async (due) => server.send(Array.from({ length: batch }, () => ({ name: "t/nap", data: { until: new Date(due).toISOString() } })));
  // How fast this machine starts them tells when all can be asleep.
  const began = Date.now();
  await nap(began + 1_000);
  await until("the first have been called and have woken", () => app.calls >= 2 * batch);
  const startMs = Math.max(Date.now() - began - 1_000, 100) / batch;
  app.woken = [];
  const due = Math.ceil(Date.now() + 4_000 + 2 * count * startMs);
  for (let sent = 0; sent < count; sent += batch) await nap(due);
  await until("all are asleep in time", () => app.calls >= 2 * batch + count);
  assert.ok(Date.now() < due, "the machine is too slow to have them asleep in time");
  await until("all woke", () => new Set(app.woken.map(({ run }) => run)).size === count, due - Date.now() + 60_000);
  // When the server woke them, from a tenth of the journals; and when the app heard of it.
  const wakes = [];
  for (const { run } of app.woken.filter((_, place) => place % 10 === 0)) {
    const { at_ms } = (await server.data(`/v1/runs/${run}/journal`)).find(({ entry }) => entry.Woken !== undefined);
    wakes.push(at_ms - due);
  }
  wakes.sort((a, b) => a - b);
  const calls = app.woken.map(({ at }) => at - due).sort((a, b) => a - b);
  const tell = (late) => `p50 ${late[late.length >> 1]} ms, all within ${late.at(-1)} ms`;
  t.diagnostic(`woken ${tell(wakes)} of their time; called ${tell(calls)}`);
  assert.ok(wakes[0] >= 0, `woken ${-wakes[0]} ms early`);
  assert.ok(isBusy || wakes[wakes.length >> 1] <= 1_000, tell(wakes));
});
