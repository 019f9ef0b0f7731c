// The Worker of the tests: the one that is deployed, and under `/_probe/` what tests do to it and see of it. All of it happens in
// one isolate, so that what is ordered here is met by the objects.

import "./traps.js";
import { addressOf, type Env, home } from "../../src/address.js";
import worker, { Carrier as PlainCarrier, EventApi as PlainEventApi, Executor as PlainExecutor, Scheduler as PlainScheduler } from "../../src/index.js";
import type { About, Beside, Delivered, Home } from "../../src/object.js";
import type { Counted } from "../../src/store.js";
import { replay } from "./replay.js";
import { type Order, order, pending, seen } from "./traps.js";

export { Chain } from "../../src/chain.js";

/** Calls that went to carriers. */
let carried = 0;

export class Carrier extends PlainCarrier {
  override async carry(...given: Parameters<PlainCarrier["carry"]>): Promise<void> {
    carried += 1;
    return super.carry(...given);
  }
}

/** Requests to objects and alarms by `kind.method`, requests to the Worker, and rows by kind of actor. */
const requests = new Map<string, number>();
const stores = new Map<Counted, string>();
/** The same by the object's name, of those that many runs share. */
const shared = new Map<string, number>();
/** Objects by name that are in memory: how often each was made. */
const made = new Map<string, number>();
/** Alarms that are to be cut short by the loss of their object, and alarms whose handling is to fail, by what its name begins with. */
const lost: { name: string; times: number }[] = [];
const failing: { name: string; times: number }[] = [];
/** Alarms that went off, by name. */
const alarms = new Map<string, number>();

function count(what: string): void {
  add(requests, what);
}

/** A request to an object, or its alarm. */
function countOf(name: string | undefined, method: string): void {
  const { kind } = addressOf(name ?? "?/");
  count(`${kind}.${method}`);
  if (name !== undefined && kind !== "run") add(shared, name);
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function take(orders: { name: string; times: number }[], name: string): boolean {
  const ordered = orders.find((order) => order.times > 0 && name.startsWith(order.name));
  if (ordered !== undefined) ordered.times -= 1;
  return ordered !== undefined;
}

function left(orders: { times: number }[]): number {
  return orders.reduce((sum, { times }) => sum + times, 0);
}

type Made = new (ctx: DurableObjectState, env: Env) => Home;

interface Inside {
  name: string | undefined;
  store: { counted: Counted };
}

/** A class of objects under observation. */
function probed(Base: Made): Made {
  return class extends Base {
    private isKnown = false;

    private meet(name: string, method: string): void {
      countOf(name, method);
      if (this.isKnown) return;
      this.isKnown = true;
      made.set(name, (made.get(name) ?? 0) + 1);
      stores.set((this as unknown as Inside).store.counted, addressOf(name).kind);
    }

    override async deliver(name: string, about: About, version: bigint, beside?: Beside): Promise<Delivered> {
      this.meet(name, about.tag);
      return super.deliver(name, about, version, beside);
    }

    override async confirm(numbers: bigint[]): Promise<void> {
      countOf((this as unknown as Inside).name, "confirm");
      return super.confirm(numbers);
    }

    override async release(): Promise<void> {
      countOf((this as unknown as Inside).name, "release");
      return super.release();
    }

    override async renew(name: string, calls: string[]): Promise<boolean> {
      this.meet(name, "renew");
      return super.renew(name, calls);
    }

    override async watch(seen: number, ms: number): Promise<void> {
      countOf((this as unknown as Inside).name, "watch");
      return super.watch(seen, ms);
    }

    override async catalog(): ReturnType<Home["catalog"]> {
      this.meet("catalog/0", "catalog");
      return super.catalog();
    }

    override async alarm(): Promise<void> {
      const name = (this as unknown as Inside).name ?? "?/";
      this.meet(name, "alarm");
      alarms.set(name, (alarms.get(name) ?? 0) + 1);
      if (take(lost, name)) this.ctx.abort("lost in its alarm, by a test");
      return super.alarm();
    }

    protected override async ring(): Promise<void> {
      if (take(failing, (this as unknown as Inside).name ?? "?/")) throw new Error("failed by a test");
      return super.ring();
    }

    /** As if the platform had lost it. */
    async forget(): Promise<void> {
      await this.ctx.storage.deleteAlarm();
    }

    /** What is in memory is gone; the next message finds what is stored. */
    async evict(): Promise<void> {
      this.ctx.abort("evicted by a test");
    }
  } as unknown as Made;
}

export class EventApi extends probed(PlainEventApi) {}
export class Scheduler extends probed(PlainScheduler) {}
export class Executor extends probed(PlainExecutor) {}

const COMMANDS: Record<string, (env: Env, given: never, ctx: ExecutionContext) => unknown> = {
  trap: (_, made: Order) => order(made),
  lose: (_, made: { name: string; times: number }) => lost.push({ ...made }),
  replay: async (_, { script }: { script: string }) => replay(script),
  fail: (_, made: { name: string; times: number }) => failing.push({ ...made }),
  forget: async (env, { name }: { name: string }) => (home(env, name) as unknown as { forget(): Promise<void> }).forget(),
  cron: async (env, _, ctx) => worker.scheduled({} as never, env, ctx),
  evict: async (env, { name }: { name: string }) => {
    const object = home(env, name) as unknown as { evict(): Promise<void> };
    // It never answers.
    await object.evict().catch(() => undefined);
  },
  counts: () => {
    const rows: Record<string, Counted> = {};
    for (const [{ read, written, alarms }, kind] of stores) {
      const sum = (rows[kind] ??= { read: 0, written: 0, alarms: 0 });
      sum.read += read;
      sum.written += written;
      sum.alarms += alarms;
    }
    return { requests: Object.fromEntries(requests), shared: Object.fromEntries(shared), rows };
  },
  /** `pending` are the orders that nobody has met yet. */
  seen: () => ({ ...seen, carried, pending: pending() + left(lost) + left(failing), made: Object.fromEntries(made), alarms: Object.fromEntries(alarms) }),
};

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const { pathname } = new URL(request.url);
    const command = pathname.startsWith("/_probe/") ? COMMANDS[pathname.slice("/_probe/".length)] : undefined;
    if (command === undefined) {
      count("worker");
      return worker.fetch(request as never, env, ctx);
    }
    const given = request.method === "POST" ? await request.json() : {};
    return Response.json((await command(env, given as never, ctx)) ?? {});
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env>;
