// What 10,000 events a second would ask of each kind of object, by count: docs/CLOUDFLARE.md says so, and this test fails where it is
// not true any more. The platform gives an object about 1,000 requests a second.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { App } from "./harness/app.mjs";
import { Server } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

const SHARDS = 8;
const STEPS = 5;
/** As in src/limits.ts. */
const [GUARD_MS, GUARDED_MAX, CATALOG_AGE_MS] = [3_000, 32, 5_000];

/** The page's arithmetic. */
const EVENTS_A_SECOND = 10_000;
const SHARDS_OF_THE_PAGE = 64;
const REQUESTS_A_SECOND_MAX = 1_000;
/** A run is told to begin, and hears so many answers. One that lasts is released by its guard, and has an alarm. */
const RUN = { least: 2 + STEPS, most: 4 + STEPS };
/** A stream is asked to take the event in, and told of the run's end. What comes alone costs a confirmation, and an alarm for that. */
const STREAM = { least: 2, most: 4 };
/** A history hears of the end; of a run that lasts it hears of the beginning as well. */
const HISTORY = { least: 1, most: 2 };

test("the page says what 10,000 events a second ask of each kind of object, and no object is asked more than it can do", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/CLOUDFLARE.md"), "utf8");
  const thousands = (count) => count.toLocaleString("en-US");
  const range = ({ least, most }, of = (count) => count) => `${thousands(of(least))} to ${thousands(of(most))}`;
  const second = (count) => count * EVENTS_A_SECOND;
  const each = (count) => Math.ceil(second(count) / SHARDS_OF_THE_PAGE);
  const lines = [
    `| \`run/<id>\` | ${range(RUN)} | ${range(RUN, second)} | one for each run | ${RUN.least} to ${RUN.most} in its life |`,
    `| \`stream/<n>\` | ${range(STREAM)} | ${range(STREAM, second)} | ${SHARDS_OF_THE_PAGE} | ${range(STREAM, each)} |`,
    `| \`history/<n>\` | ${range(HISTORY)} | ${range(HISTORY, second)} | ${SHARDS_OF_THE_PAGE} | ${range(HISTORY, each)} |`,
  ];
  for (const most of [STREAM.most, HISTORY.most]) assert.ok(each(most) < REQUESTS_A_SECOND_MAX);
  const missing = lines.filter((line) => !page.includes(line));
  assert.deepEqual(missing, [], `docs/CLOUDFLARE.md does not say\n${missing.join("\n")}`);
});

test("short runs ask of each kind of object what the page says, and all shards have their part", async (t) => {
  const { server, app } = await started(t);
  const [count, lanes] = [400, 8];
  const counted = await countedFor(t, server, count, async () => {
    let begun = 0;
    await Promise.all(Array.from({ length: lanes }, async () => {
      while (begun < count) {
        const key = (begun += 1);
        await server.send({ name: "t/steps", data: { steps: STEPS, key } });
        await until(`run ${key} has ended`, () => app.ended.has(key));
      }
    }));
  });
  assertWithin(counted, count);
  // Most are over before anybody would have to remember them.
  assert.ok(counted.run < RUN.least + 1 && counted.history < HISTORY.least + 0.5, JSON.stringify(counted));
  for (const kind of ["stream", "history"]) {
    const parts = Object.entries(counted.shared).filter(([name]) => name.startsWith(`${kind}/`)).map(([, part]) => part);
    const fair = (counted[kind] * count) / SHARDS;
    assert.equal(parts.length, SHARDS);
    for (const part of parts) assert.ok(part > fair / 2 && part < fair * 2, `${kind}: ${parts}`);
  }
});

test("runs that last ask for no more than the page says", async (t) => {
  const { server, app } = await started(t);
  const count = 2 * GUARDED_MAX;
  const counted = await countedFor(t, server, count, async () => {
    const began = Date.now();
    await Promise.all(Array.from({ length: count }, async (_, key) => server.send({ name: "t/steps", data: { steps: STEPS, hold: "s2", key } })));
    await until("all are under way", () => app.held.length === count);
    await until("nobody guards them any more", async () => {
      const { requests } = await server.probe("counts");
      return (requests["run.release"] ?? 0) >= GUARDED_MAX && Date.now() > began + GUARD_MS;
    });
    app.release();
    await until("all runs have ended", () => app.ended.size === count);
  });
  assertWithin(counted, count);
  // They are what the page's larger numbers are for.
  assert.ok(counted.run > RUN.most - 1 && counted.history > HISTORY.most - 0.5, JSON.stringify(counted));
});

test("an event that nobody waits for asks no waits, and one of a name that is waited for asks its value's", async (t) => {
  const { server } = await started(t);
  const run = await server.begin("t/waiter", { key: "k" });
  // Two runs were told to begin, and one of them that its wait is registered with all streams.
  await until("the wait is known", async () => (await server.probe("counts")).requests["run.tell"] === 3);
  const told = async () => (await server.probe("counts")).requests["waits.tell"];
  const before = await told();
  for (let time = 0; time < 5; time += 1) await server.over(await server.begin("t/steps", { steps: 1 }));
  assert.equal(await told(), before);
  // The condition compares a value, and whoever waits for another value is another object.
  const values = ["other0", "other1", "other2", "k"];
  for (const key of values) await server.send({ name: "t/wake", data: { key } });
  assert.equal((await server.over(run)).status, "Completed");
  const { requests, shared } = await until("all have been told", async () => {
    const counts = await server.probe("counts");
    return counts.requests["waits.tell"] >= before + values.length && counts;
  });
  const asked = Object.keys(shared).filter((name) => name.startsWith("waits/"));
  t.diagnostic(`${requests["waits.tell"] - before} messages for ${values.length} events: ${asked.join(", ")}`);
  assert.equal(asked.length, values.length);
});

async function started(t) {
  // Leases and pauses as they are when it is deployed.
  const server = await Server.start(t, { STEPWELL_LEASE_MS: "", STEPWELL_SHARDS: `${SHARDS}` });
  const app = await App.start(t, server);
  await server.over(await server.begin("t/steps", { steps: 1 }));
  app.ended.clear();
  return { server, app };
}

/** What was asked of each kind of object meanwhile, for each event; an alarm that was set goes off later, and is counted now. */
async function countedFor(t, server, events, work) {
  const [before, began] = [await server.probe("counts"), Date.now()];
  await work();
  const more = (now, name) => (now.requests[name] ?? 0) - (before.requests[name] ?? 0);
  const after = await until("everybody has been told", async () => {
    const now = await server.probe("counts");
    return more(now, "stream.tell") >= events && more(now, "history.tell") >= events + more(now, "run.release") && now;
  });
  const alarms = (kind) => after.rows[kind].alarms - before.rows[kind].alarms;
  const of = (kind, ...methods) => (methods.reduce((sum, method) => sum + more(after, `${kind}.${method}`), 0) + alarms(kind)) / events;
  const shared = Object.fromEntries(Object.entries(after.shared).map(([name, part]) => [name, part - (before.shared[name] ?? 0)]));
  const counted = {
    run: of("run", "tell", "answered", "release", "renew"),
    stream: of("stream", "ask", "tell", "confirm"),
    history: of("history", "ask", "tell", "confirm"),
  };
  t.diagnostic(`for an event: ${JSON.stringify(counted)}`);
  const catalog = more(after, "catalog.catalog");
  assert.ok(catalog <= 1 + (Date.now() - began) / CATALOG_AGE_MS, `the catalog was read ${catalog} times for ${events} events`);
  return { ...counted, shared };
}

function assertWithin(counted, events) {
  for (const [kind, { least, most }] of Object.entries({ run: RUN, stream: STREAM, history: HISTORY })) {
    assert.ok(counted[kind] >= least && counted[kind] <= most, `${kind} was asked ${counted[kind]} times for each of ${events} events`);
  }
}
