// Traps on demand, as WebAssembly makes them: between the engine's modules and whoever calls them, in the tests' build alone.

import { modules } from "../../gen/modules.js";
// Made by ../build.mjs.
import trapModule from "./trap.wasm";

export interface Order {
  /** Which component: `event-api`, `scheduler`, `executor`, `ledger`. */
  part: string;
  /** Part of the name of the function, such as `actor.turn`. */
  call: string;
  /** Whether the call has done its work by then, so that what is in memory is ahead of what is stored. */
  after: boolean;
  /** How often. */
  times: number;
}

const PARTS = ["event-api", "scheduler", "executor", "ledger"];
const orders: Order[] = [];
const Native = WebAssembly.Instance;
const trap = new Native(trapModule).exports.trap as () => never;

/** What happened so far. */
export const seen = { traps: 0, instances: 0 };

export function order(made: Order): void {
  orders.push({ ...made });
}

/** Traps that were ordered and have not come. */
export function pending(): number {
  return orders.reduce((sum, { times }) => sum + times, 0);
}

function due(part: string, call: string, after: boolean): boolean {
  const found = orders.find((order) => order.part === part && order.after === after && order.times > 0 && call.includes(order.call));
  if (found === undefined) return false;
  found.times -= 1;
  seen.traps += 1;
  return true;
}

function watched(part: string, exports: WebAssembly.Exports): WebAssembly.Exports {
  const made: Record<string, WebAssembly.ExportValue> = {};
  for (const [name, value] of Object.entries(exports)) {
    const isCall = typeof value === "function" && name.startsWith("stepwell:");
    made[name] = !isCall ? value : (...given: unknown[]) => {
      if (due(part, name, false)) trap();
      const result = (value as (...given: unknown[]) => unknown)(...given);
      if (due(part, name, true)) trap();
      return result;
    };
  }
  return made;
}

class Watched extends Native {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    const part = PARTS.find((part) => modules(`${part}.core.wasm`) === module);
    if (part === undefined) return;
    seen.instances += 1;
    const exports = watched(part, this.exports);
    Object.defineProperty(this, "exports", { value: exports });
  }
}

WebAssembly.Instance = Watched;
