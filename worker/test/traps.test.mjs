// A trap in each part: the request that met it is answered 500 with a code, the object works again at once, whoever was in flight
// on other objects is unharmed, and alarms still come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { assertWhole, named } from "./harness/journal.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

/** Twice: the first one is met by a second try in a fresh instance. */
const FOR_GOOD = 2;

for (const [part, call] of [["event-api", "exchange.start"], ["event-api", "exchange.resume"], ["event-api", "actor.turn"]]) {
  for (const after of [false, true]) {
    test(`a request that meets a trap ${after ? "after" : "in"} ${call} gets a 500 with a code, and the next one its answer`, async (t) => {
      const server = await Server.start(t);
      const app = await App.start(t, server);
      const held = await server.begin("t/steps", { steps: 3, hold: "s1" });
      await until("a step is in flight", () => app.held.length === 1);
      const watching = server.ask("GET", `/v1/runs/${held}?wait_ms=20000`);
      await until("the request waits", async () => (await server.probe("counts")).requests["run.watch"] > 0);

      await server.trap(part, call, { after, times: FOR_GOOD });
      const refused = await server.ask("POST", "/e/key", { name: "t/steps", data: { steps: 1 } });
      assert.equal(refused.status, 500, JSON.stringify(refused));
      assert.equal(refused.json.code, "engine_fault", JSON.stringify(refused));
      assert.equal((await server.probe("seen")).traps, FOR_GOOD);

      const run = await server.begin("t/steps", { steps: 2 });
      await assertWhole(server, app, run, named(2));
      app.release();
      const watched = await watching;
      assert.equal(watched.status, 200, JSON.stringify(watched));
      await assertWhole(server, app, held, named(3));
      assert.deepEqual(app.ran(held), { s0: 1, s1: 1, s2: 1 });
    });
  }
}

test("a request that meets a trap in whichever part gets a 500 with a code, and its object answers at once again", async (t) => {
  // Nobody is to think on a busy machine that the call in flight is lost.
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "30000" });
  const app = await App.start(t, server, { crons: 1 });
  const held = await server.begin("t/steps", { steps: 3, hold: "s1" });
  await until("a step is in flight", () => app.held.length === 1);
  for (const [part, call, method, path, body] of [
    ["event-api", "actor.turn", "GET", "/v1/events?limit=1"],
    ["scheduler", "actor.turn", "GET", "/v1/crons"],
    ["scheduler", "constructor]actor", "GET", "/v1/crons"],
    ["executor", "actor.turn", "GET", `/v1/runs/${held}`],
    ["executor", "constructor]actor", "GET", `/v1/runs/${held}`],
    ["ledger", "ledger.settle", "POST", "/e/key", { name: "t/unheard" }],
  ]) {
    for (const after of [false, true]) {
      const sleeping = await server.begin("t/sleeper", { for: "2s" });
      await until("it sleeps", async () => (await server.data(`/v1/runs/${sleeping}/journal`)).length === 3);
      // What is made is made in the request that is to meet the trap.
      const object = { scheduler: "cron/t-cron0", executor: `run/${held}` }[part];
      if (object !== undefined) await server.probe("evict", { name: object });
      await server.trap(part, call, { after, times: FOR_GOOD });
      const refused = await server.ask(method, path, body);
      assert.deepEqual([refused.status, refused.json.code], [500, "engine_fault"], `${part} ${call}: ${JSON.stringify(refused)}`);
      assert.equal((await server.probe("seen")).pending, 0);
      const answered = await server.ask(method, path, body);
      assert.equal(answered.status, 200, `${part} ${call}: ${JSON.stringify(answered)}`);
      await assertWhole(server, app, sleeping, ["before", "after"]);
      assert.deepEqual(app.ran(sleeping), { before: 1, after: 1 });
    }
  }
  app.release();
  await assertWhole(server, app, held, named(3));
  assert.deepEqual(app.ran(held), { s0: 1, s1: 1, s2: 1 });
});

test("a trap that comes once is met by a second try in a fresh instance, and nobody notices", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  for (const [part, call] of [
    ["event-api", "exchange.start"], ["event-api", "exchange.resume"], ["event-api", "actor.turn"], ["event-api", "constructor]actor"],
    ["executor", "actor.turn"], ["executor", "constructor]actor"], ["executor", "preload"],
  ]) {
    for (const after of [false, true]) {
      await server.trap(part, call, { after });
      // Makes every object read its rows again, so that it preloads and constructs.
      await server.probe("evict", { name: "stream/0" });
      const run = await server.begin("t/steps", { steps: 3 });
      await assertWhole(server, app, run, named(3));
      assert.deepEqual(app.ran(run), { s0: 1, s1: 1, s2: 1 }, `${part} ${call}`);
      assert.equal((await server.probe("seen")).pending, 0, `${part} ${call} was not met`);
    }
  }
});

test("an answer that the executor cannot take in counts as a failed attempt, and the run goes on", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const other = await server.begin("t/steps", { steps: 3, hold: "s1" });
  const run = await server.begin("t/steps", { steps: 3, hold: "s1" });
  await until("both are in flight", () => app.held.length === 2);
  await server.trap("executor", "actor.turn", { after: true, times: FOR_GOOD });
  app.release();
  // Nothing is asked meanwhile that could meet it instead.
  await until("the trap is met", async () => (await server.probe("seen")).pending === 0);
  for (const one of [other, run]) await assertWhole(server, app, one, named(3));
  // One of them met it, and only its own step was tried again.
  const again = [other, run].map((one) => app.ran(one).s1).sort();
  assert.deepEqual(again, [1, 2]);
});

test("messages that the scheduler or a run could not take in come again", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  await server.trap("scheduler", "actor.turn", { times: FOR_GOOD });
  const run = await server.begin("t/waiter", { key: "k" });
  await until("the wait is known", async () => (await server.probe("counts")).requests["waits.tell"] >= 2);
  await server.trap("scheduler", "actor.turn", { after: true, times: FOR_GOOD });
  await server.send({ name: "t/wake", data: { key: "k" } });
  const { summary } = await assertWhole(server, app, run, ["after"]);
  assert.equal(summary.output?.data?.name ?? summary.output?.name, "t/wake", JSON.stringify(summary));

  await server.trap("executor", "actor.turn", { times: FOR_GOOD });
  const [event] = await server.send({ name: "t/steps", data: { steps: 2 } });
  await assertWhole(server, app, await server.runOf(event), named(2));
  assert.equal((await server.probe("seen")).pending, 0);
});

test("a sleeping run wakes although its instance trapped meanwhile, and although its waking traps", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const run = await server.begin("t/sleeper", { for: "3s" });
  await until("it sleeps", async () => (await server.data(`/v1/runs/${run}/journal`)).length === 3);
  const journal = await server.data(`/v1/runs/${run}/journal`);
  await server.trap("executor", "actor.turn", { times: FOR_GOOD });
  const refused = await server.ask("GET", "/v1/runs/01JDN0TTHERE00000000000000");
  assert.deepEqual([refused.status, refused.json.code], [500, "engine_fault"], JSON.stringify(refused));
  // The first alarm's turn, its second try, and the same of the next alarm.
  await server.trap("executor", "actor.turn", { after: true, times: 2 * FOR_GOOD });
  await until("the traps are met", async () => (await server.probe("seen")).pending === 0);
  const { journal: whole } = await assertWhole(server, app, run, ["before", "after"]);
  assert.deepEqual(whole.slice(0, journal.length), journal);
  assert.deepEqual(app.ran(run), { before: 1, after: 1 });
});

test("a trap in the ledger harms neither the actor that met it nor the others of its isolate", async (t) => {
  const server = await Server.start(t);
  const app = await App.start(t, server);
  const sleeping = await server.begin("t/sleeper", { for: "6s" });
  for (const call of ["ledger.load", "ledger.settle", "ledger.keep", "ledger.ring", "ledger.confirm", "ledgers@0.1.0#edition"]) {
    for (const after of [false, true]) {
      await server.trap("ledger", call, { after });
      const runs = [];
      for (let n = 0; n < 3; n += 1) runs.push(await server.begin("t/steps", { steps: 3 }));
      await server.probe("evict", { name: "stream/0" });
      await until(`${call} is met`, async () => (await server.probe("seen")).pending === 0);
      for (const run of runs) await assertWhole(server, app, run, named(3));
    }
  }
  await assertWhole(server, app, sleeping, ["before", "after"]);
  assert.deepEqual(app.ran(sleeping), { before: 1, after: 1 });
});
