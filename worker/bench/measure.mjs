// What is measured of one or the other.

/** Steps of a run. */
export const STEPS = 5;
/** Runs at a time where rates are measured. */
export const IN_FLIGHT = 64;
/** Connections that events are sent by. */
const CONNECTIONS = 16;
/** Events of a request where they come together. */
const TOGETHER = 100;
/** Whatever takes longer has been lost. */
const PATIENCE_MS = 120_000;

/** A server that has used less than this part of a CPU for a while has nothing left to do. */
const IDLE_PART = 0.05;
const IDLE_MS = 400;

let keys = 0;
const nextKey = () => `run-${(keys += 1)}`;

/** Waits until nothing is left of what was measured before. */
export async function settled(sides) {
  const used = () => sides.reduce((sum, side) => sum + side.cpuMs(), 0);
  const end = performance.now() + PATIENCE_MS;
  for (let [before, isIdle] = [used(), false]; !isIdle && performance.now() < end; ) {
    await pause(IDLE_MS);
    const now = used();
    // Where it is not known, the pause has to do.
    isIdle = !(now - before >= IDLE_PART * IDLE_MS);
    before = now;
  }
}

/** Runs one after another: the time to the first step, between the answer of a step and the next one, and to the last answer. */
export async function oneByOne(side, app, runs) {
  const samples = { first: [], overhead: [], whole: [] };
  for (let run = 0; run < runs; run += 1) {
    const key = nextKey();
    const [over, sent] = [app.over(key), performance.now()];
    await side.begin({ key, steps: STEPS });
    const visits = await soon(over, `${side.name}: ${key}`);
    samples.first.push(visits[0].called - sent);
    for (let step = 1; step < STEPS; step += 1) samples.overhead.push(visits[step].called - visits[step - 1].answered);
    samples.whole.push(visits[STEPS - 1].answered - sent);
  }
  return samples;
}

/** Many at a time, for a while: for each that is over another one begins. */
export async function inFlight(side, app, { warmMs, ms }) {
  let isOver = false;
  const first = app.steps;
  const lane = async () => {
    while (!isOver) await whole(side, app, (run) => side.begin(run));
  };
  const lanes = Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const window = async () => {
    await pause(warmMs);
    // Each object's first row takes a slow disk long.
    while (app.steps - first < 2 * IN_FLIGHT * STEPS) await pause(IDLE_MS);
    const before = { at: performance.now(), cpu: side.cpuMs(), steps: app.steps };
    await pause(ms);
    const seconds = (performance.now() - before.at) / 1_000;
    const made = { cpu: side.cpuMs() - before.cpu, steps: app.steps - before.steps };
    isOver = true;
    return { steps: made.steps / seconds, cpuPerStep: made.cpu / made.steps };
  };
  const [made] = await Promise.all([window(), lanes]);
  return made;
}

/** So many of a Workflow's runs whose steps call nobody, as many at a time: steps a second. */
export async function alone(workflows, app, runs) {
  const began = performance.now();
  let left = runs;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await whole(workflows, app, (run) => workflows.beginAlone(run));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return { steps: (runs * STEPS * 1_000) / (performance.now() - began) };
}

/** One run, until the app has answered its last call. */
async function whole(side, app, begin) {
  const key = nextKey();
  const over = app.over(key);
  await begin({ key, steps: STEPS });
  await soon(over, `${side.name}: ${key}`);
}

/** Events that nobody listens to, until they are durable: one by one, and together. */
export async function events(server, ms) {
  const one = (count) => Array.from({ length: count }, () => ({ name: "bench/unheard", data: { key: nextKey() } }));
  const rate = async (connections, count) => {
    const began = performance.now();
    let sent = 0;
    const lane = async () => {
      while (performance.now() - began < ms) {
        await server.send(one(count));
        sent += count;
      }
    };
    await Promise.all(Array.from({ length: connections }, lane));
    return (sent * 1_000) / (performance.now() - began);
  };
  return { single: await rate(CONNECTIONS, 1), together: await rate(CONNECTIONS, TOGETHER) };
}

async function soon(work, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is not over after ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** The value below which so many of a hundred are. */
export function percentile(samples, of) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * of) / 100))];
}

/** The one in the middle. */
export const median = (samples) => percentile(samples, 50);
