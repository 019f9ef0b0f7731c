// Logs: one JSON object a line, with the actor, which for a run is its id.

export function log(level: "info" | "warn" | "error", message: string, more: Record<string, unknown> = {}): void {
  console[level](JSON.stringify({ level, message, ...more }));
}

/** What an error says, for people. */
export function cause(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
