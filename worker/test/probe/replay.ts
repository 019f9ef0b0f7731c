// Plays what the simulator recorded (docs/SIMULATION.md, "The script format") on the modules of this Worker, as jco calls them.

import { instantiate as eventApi } from "../../gen/event-api/event-api.js";
import { instantiate as executor } from "../../gen/executor/executor.js";
import { instantiate as scheduler } from "../../gen/scheduler/scheduler.js";
import { modules } from "../../gen/modules.js";

/** The version of the format that is read here. */
const VERSION = 1;

/** Whatever a script says is called with whatever it says. */
type Any = any;

interface Step {
  do: string;
  part?: string;
  on?: string;
  args: Any[];
}

/** The hash of all that a script's calls gave, and the first call that gave something else, if one did. */
export async function replay(script: string): Promise<{ sha256: string; steps: number; difference?: string }> {
  const lines = script.split("\n").filter((line) => line !== "");
  const head = JSON.parse(lines.shift() ?? "{}", revive);
  if (head.script !== "stepwell" || head.version !== VERSION) throw new Error(`this is no script of version ${VERSION}`);
  const foot = JSON.parse(lines.pop() ?? "{}");
  const parts: Record<string, Any> = { "event-api": eventApi(modules, {}), scheduler: scheduler(modules, {}), executor: executor(modules, {}) };
  for (const part of Object.values(parts)) part.actors.configure(head.settings);
  const made = new Map<string, Any>();
  const given: string[] = [];
  let difference: string | undefined;
  lines.forEach((line, place) => {
    const step = JSON.parse(line, revive) as Step;
    const on = step.part === undefined ? Object.values(parts) : [parts[step.part]];
    const gives = on.map((part) => JSON.stringify(call(part, made, step), plain));
    // What was recorded, in its own words.
    const expected = line.slice(line.lastIndexOf(',"gives":') + ',"gives":'.length, -1);
    if (gives.some((one) => one !== gives[0]) || !line.endsWith(`,"gives":${gives[0]}}`)) {
      difference ??= `line ${place + 2}: ${step.do} ${step.on ?? ""} gives ${gives.join(" and ")}, not ${expected}`;
    }
    given.push(`${gives[0]}\n`);
  });
  if (foot.steps !== given.length) difference ??= `${given.length} steps were read, and there should be ${foot.steps}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(given.join("")));
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { sha256, steps: given.length, ...(difference === undefined ? {} : { difference }) };
}

function call(part: Any, made: Map<string, Any>, { do: step, on = "", args }: Step): unknown {
  switch (step) {
    case "install":
      return result(() => part.actors.installCatalog(...args));
    case "preload":
      return part.actors.preload(...args);
    case "make":
      return keep(made, on, new part.actors.Actor(...args));
    case "turn":
      return result(() => made.get(on).turn(...args));
    case "open":
      return keep(made, on, new part.http.Exchange(...args));
    case "start":
      return over(made, on, made.get(on).start());
    case "resume":
      return over(made, on, made.get(on).resume(...args));
    default:
      throw new Error(`there is no step ${step}`);
  }
}

/** What is made takes the place of an earlier one of that name. */
function keep(made: Map<string, Any>, on: string, resource: Any): null {
  made.get(on)?.[Symbol.dispose]?.();
  made.set(on, resource);
  return null;
}

/** After a response an exchange is over. */
function over(made: Map<string, Any>, on: string, progress: Any): Any {
  if (progress.tag === "respond") {
    made.get(on)[Symbol.dispose]?.();
    made.delete(on);
  }
  return progress;
}

function result(call: () => unknown): unknown {
  try {
    const val = call();
    return val === undefined ? { tag: "ok" } : { tag: "ok", val };
  } catch (error) {
    const { payload } = error as { payload?: unknown };
    if (payload === undefined) throw error;
    return { tag: "err", val: payload };
  }
}

function revive(_: string, held: Any): Any {
  if (typeof held?.u64 === "string") return BigInt(held.u64);
  return typeof held?.base64 === "string" ? Uint8Array.from(atob(held.base64), (character) => character.charCodeAt(0)) : held;
}

function plain(_: string, held: Any): Any {
  if (typeof held === "bigint") return { u64: `${held}` };
  return held instanceof Uint8Array || held instanceof ArrayBuffer ? { base64: base64(new Uint8Array(held)) } : held;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
