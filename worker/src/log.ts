// Logs: one JSON object a line, with the actor, and the id of the run where it is one.

export function log(level: "info" | "warn" | "error", message: string, more: Record<string, unknown> = {}): void {
  const actor = typeof more.actor === "string" && more.actor.startsWith("run/") ? { run: more.actor.slice("run/".length) } : {};
  console[level](JSON.stringify({ level, message, ...actor, ...more }));
}

/** What an error says, for people. */
export function cause(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
