// Waiting for a condition, never for a guessed time.

const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

/** Asks `condition` until it gives something that is neither undefined nor false. */
export async function until(what, condition, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${patienceMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
