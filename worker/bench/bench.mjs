// Measures the Worker under a bare workerd beside Cloudflare Workflows in the same workerd, with the same app and the same five
// steps, in memory and on disk. `cargo xtask bench --home workerd` builds what it needs and calls it:
//
//   node bench.mjs --workerd <program> --dist <folder of the Worker> [--quick] [--scratch <folder on the disk>] [--json <file>]
//
// Both have their turn in each round, so that whatever else the machine does meets both; the middle of the rounds counts.

import { closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { App } from "./app.mjs";
import { alone, events, IN_FLIGHT, inFlight, median, oneByOne, percentile, settled, STEPS } from "./measure.mjs";
import { Stepwell } from "./stepwell.mjs";
import { Workflows } from "./workflows.mjs";

const FULL = { rounds: 3, runs: 60, warmMs: 1_000, ms: 5_000, eventsMs: 3_000, alone: 256, syncs: 300 };
const QUICK = { rounds: 1, runs: 20, warmMs: 500, ms: 2_000, eventsMs: 1_000, alone: 128, syncs: 100 };
const MEMORY = "/dev/shm";

const { values: given } = parseArgs({
  options: { workerd: { type: "string" }, dist: { type: "string" }, scratch: { type: "string" }, json: { type: "string" }, quick: { type: "boolean", default: false } },
});
const scale = given.quick ? QUICK : FULL;
const places = [...(existsSync(MEMORY) ? [{ name: "tmpfs", parent: MEMORY }] : []), { name: "disk", parent: given.scratch ?? tmpdir() }];
const report = { quick: given.quick, load: loadavg()[0], places: {} };
for (const { name, parent } of places) report.places[name] = await place(name, parent);
print(report);
if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(report, null, 1)}\n`);
process.exit(0);

async function place(name, parent) {
  const dir = mkdtempSync(join(parent, "stepwell-bench-"));
  const app = await App.start();
  const sides = [];
  try {
    const { workerd, dist } = given;
    const [stepwell, workflows] = [await started(Stepwell.start({ workerd, dist, dir, app })), await started(Workflows.start({ workerd, dir, app }))];
    // One by one first: runs of the others have alarms that go off a minute later.
    const one = await rounds(`${name}, one by one`, {
      stepwell: () => oneByOne(stepwell, app, scale.runs),
      workflows: () => oneByOne(workflows, app, scale.runs),
    });
    const many = await rounds(`${name}, ${IN_FLIGHT} in flight`, {
      stepwell: () => inFlight(stepwell, app, scale),
      workflows: () => inFlight(workflows, app, scale),
      alone: () => alone(workflows, app, scale.alone),
      events: () => events(stepwell, scale.eventsMs),
    });
    return { sync: sync(dir), ...summary(one, many) };
  } finally {
    for (const side of sides) await side.stop();
    app.stop();
    rmSync(dir, { recursive: true, force: true });
  }

  /** Each has its turn in each round, when nothing is left of the one before; what each gave, by round. */
  async function rounds(title, measures) {
    const made = Object.fromEntries(Object.keys(measures).map((what) => [what, []]));
    for (let round = 1; round <= scale.rounds; round += 1) {
      console.error(`${title}: round ${round} of ${scale.rounds}`);
      for (const [what, measure] of Object.entries(measures)) {
        await settled(sides);
        made[what].push(await measure());
      }
    }
    return made;
  }

  async function started(starting) {
    const side = await starting;
    sides.push(side);
    return side;
  }
}

/** What this disk takes to make a few bytes durable, in ms. */
function sync(dir) {
  const path = join(dir, "sync");
  const file = openSync(path, "w");
  const samples = [];
  for (let time = 0; time < scale.syncs; time += 1) {
    const began = performance.now();
    writeSync(file, "0".repeat(512));
    fdatasyncSync(file);
    samples.push(performance.now() - began);
  }
  closeSync(file);
  rmSync(path);
  return median(samples);
}

/** Times of all rounds together; of rates the round in the middle. */
function summary(one, many) {
  const middle = (rounds, of) => median(rounds.map(of));
  const side = (of) => ({
    first: times(one[of].flatMap(({ first }) => first)),
    overhead: times(one[of].flatMap(({ overhead }) => overhead)),
    whole: times(one[of].flatMap(({ whole }) => whole)),
    steps: middle(many[of], ({ steps }) => steps),
    cpuPerStep: middle(many[of], ({ cpuPerStep }) => cpuPerStep),
  });
  return {
    stepwell: { ...side("stepwell"), events: { single: middle(many.events, ({ single }) => single), together: middle(many.events, ({ together }) => together) } },
    workflows: { ...side("workflows"), alone: middle(many.alone, ({ steps }) => steps) },
  };
}

function times(samples) {
  return { p50: median(samples), p99: percentile(samples, 99) };
}

/** The tables of docs/CLOUDFLARE.md. */
function print({ load, places }) {
  console.log(`load ${load.toFixed(1)} when it began; each step is a call to an app on the loopback`);
  for (const [name, { sync, stepwell, workflows }] of Object.entries(places)) {
    const ms = ({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`;
    const row = (what, ours, theirs, ratio) => console.log(`| ${what} | ${ours} | ${theirs} | ${ratio} |`);
    const slower = (of) => `${(workflows[of].p50 / stepwell[of].p50).toFixed(1)} / ${(workflows[of].p99 / stepwell[of].p99).toFixed(1)}`;
    console.log(`\n| ${name} (fdatasync ${sync.toFixed(2)} ms) | Stepwell | Workflows | times better |\n| --- | --- | --- | --- |`);
    const rate = (by) => [(stepwell.steps / by).toFixed(0), (workflows.steps / by).toFixed(0), (stepwell.steps / workflows.steps).toFixed(1)];
    row(`steps a second, ${IN_FLIGHT} runs in flight`, ...rate(1));
    row("which are so many runs of five steps, each of an event of its own", ...rate(STEPS));
    row("overhead of a step, p50 / p99", ms(stepwell.overhead), ms(workflows.overhead), slower("overhead"));
    row("from the event to the first step, p50 / p99", ms(stepwell.first), ms(workflows.first), slower("first"));
    row("from the event to the end of the fifth step, p50 / p99", ms(stepwell.whole), ms(workflows.whole), slower("whole"));
    row("CPU of workerd for a step", `${stepwell.cpuPerStep.toFixed(2)} ms`, `${workflows.cpuPerStep.toFixed(2)} ms`, (workflows.cpuPerStep / stepwell.cpuPerStep).toFixed(1));
    row("steps a second where steps call nobody", "", workflows.alone.toFixed(0), "");
    row("events a second, one by one / in hundreds, 16 connections", `${stepwell.events.single.toFixed(0)} / ${stepwell.events.together.toFixed(0)}`, "", "");
  }
}
