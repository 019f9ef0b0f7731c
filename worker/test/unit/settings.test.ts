import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, type Env, home, nameOf } from "../../src/address.js";
import { partOf } from "../../src/engine.js";
import { failureOf } from "../../src/requests.js";
import { fault, policy, settings } from "../../src/settings.js";

const env = (given: Record<string, string | null>): Env => given as unknown as Env;

test("a server without keys is open to nobody", () => {
  assert.match(fault(env({})) ?? "", /STEPWELL_SIGNING_KEY/);
  assert.match(fault(env({ STEPWELL_KIND: "cloud", STEPWELL_SIGNING_KEY: null })) ?? "", /STEPWELL_SIGNING_KEY/);
  assert.match(fault(env({ STEPWELL_KIND: "Dev" })) ?? "", /STEPWELL_SIGNING_KEY/);
  assert.match(fault(env({ STEPWELL_SIGNING_KEY: "signkey-prod-00" })) ?? "", /STEPWELL_EVENT_KEYS/);
  assert.match(fault(env({ STEPWELL_SIGNING_KEY: "signkey-prod-00", STEPWELL_EVENT_KEYS: " , " })) ?? "", /STEPWELL_EVENT_KEYS/);
  assert.equal(fault(env({ STEPWELL_SIGNING_KEY: "signkey-prod-00", STEPWELL_EVENT_KEYS: "k" })), undefined);
  assert.equal(fault(env({ STEPWELL_KIND: "dev" })), undefined);
});

test("keys are read from variables, the current one first", () => {
  const made = settings(env({ STEPWELL_SIGNING_KEY: "a", STEPWELL_SIGNING_KEY_FALLBACK: "b", STEPWELL_EVENT_KEYS: "x, y,,z ", STEPWELL_RETRY_INTERVAL_MS: "7" }));
  assert.deepEqual(made.signingKeys, ["a", "b"]);
  assert.deepEqual(made.eventKeys, ["x", "y", "z"]);
  assert.equal(made.retryIntervalMs, 7n);
  assert.equal("waitLookBackMs" in made, false);
  assert.equal(made.kind, "cloud");
  assert.equal(made.shards, 1);
  assert.equal(settings(env({ STEPWELL_SHARDS: "8" })).shards, 8);
  assert.equal(settings(env({ STEPWELL_SHARDS: null })).shards, 1);
  assert.equal(settings(env({ STEPWELL_BACKLOG_LIMIT: "100" })).backlogMax, 100);
  assert.equal("backlogMax" in settings(env({ STEPWELL_BACKLOG_LIMIT: "0" })), false);
  assert.equal(settings(env({ STEPWELL_CALLS_PER_APP: "100" })).callsPerAppMax, 100);
  assert.equal("callsPerAppMax" in settings(env({})), false);
  for (const name of ["STEPWELL_BACKLOG_LIMIT", "STEPWELL_CALLS_PER_APP"]) {
    for (const wrong of ["-1", "1.5", "many"]) assert.match(fault(env({ [name]: wrong })) ?? "", new RegExp(name));
  }
  for (const wrong of ["0", "65", "1.5", "many"]) assert.match(fault(env({ STEPWELL_SHARDS: wrong })) ?? "", /from 1 to 64/);
});

test("nothing is tried again later than a lease, and a call is renewed several times within one", () => {
  const usual = policy(env({}));
  assert.equal(usual.leaseMs, 60_000n);
  const short = policy(env({ STEPWELL_LEASE_MS: "900" }));
  assert.deepEqual([short.leaseMs, short.renewMs, short.failureMs, short.resendMsMin], [900n, 300n, 900n, 900n]);
  const long = policy(env({ STEPWELL_LEASE_MS: "600000" }));
  assert.deepEqual([long.failureMs, long.resendMsMin], [usual.failureMs, usual.resendMsMin]);
});

test("an object with too much to do is overloaded, and any other error of the platform a fault", () => {
  assert.deepEqual(failureOf(Object.assign(new Error("Durable Object is overloaded."), { overloaded: true, retryable: false })), { tag: "overloaded" });
  assert.deepEqual(failureOf(new Error("Network connection lost.")), { tag: "fault", val: "Network connection lost." });
  assert.deepEqual(failureOf(undefined), { tag: "fault", val: "undefined" });
});

test("objects are where the settings want them", () => {
  const asked: unknown[] = [];
  const space = (where: string) => ({
    jurisdiction: (to: string) => space(to),
    idFromName: (name: string) => `${where}:${name}`,
    get: (id: string, options: unknown) => asked.push([id, options]),
  });
  const all = { EVENT_API: space("api"), SCHEDULER: space("scheduler"), EXECUTOR: space("executor") };
  home({ ...all } as never, "run/1");
  home({ ...all, STEPWELL_LOCATION: "weur" } as never, "waits/a/b");
  home({ ...all, STEPWELL_JURISDICTION: "eu" } as never, "stream/0");
  assert.deepEqual(asked, [["executor:run/1", {}], ["scheduler:waits/a/b", { locationHint: "weur" }], ["eu:stream/0", {}]]);
});

test("an address is the name of its object, whatever its key", () => {
  for (const key of ["0", "a/b/c", "", "\u{1f600}"]) {
    assert.deepEqual(addressOf(nameOf({ kind: "waits", key })), { kind: "waits", key });
  }
  assert.deepEqual(["catalog", "stream", "history", "gate", "waits", "cron", "run"].map((kind) => partOf(kind as never)), [
    "event-api", "event-api", "event-api", "scheduler", "scheduler", "scheduler", "executor",
  ]);
});
