// Confirmations of letters: they cost a request, and are in no hurry. So they ride on the next question to the same actor, or go
// together with others. Where one is lost the letter comes again, which its receiver recognises.

import { type Env, home } from "./address.js";
import { CONFIRM_MS, CONFIRMS_MAX } from "./limits.js";

/** By the name of the letters' sender, what nobody has told it yet. */
const waiting = new Map<string, bigint[]>();

/** Sees to it that the sender hears of it, soon. */
export async function confirmLater(env: Env, sender: string, numbers: bigint[]): Promise<void> {
  const others = waiting.get(sender);
  if (others !== undefined) {
    others.push(...numbers);
    if (others.length >= CONFIRMS_MAX) await tell(env, sender);
    return;
  }
  waiting.set(sender, [...numbers]);
  if (numbers.length < CONFIRMS_MAX) await new Promise((resolve) => setTimeout(resolve, CONFIRM_MS));
  await tell(env, sender);
}

/** What rides on a message to this actor. */
export function takeConfirmations(sender: string): bigint[] {
  const numbers = waiting.get(sender) ?? [];
  waiting.delete(sender);
  return numbers;
}

async function tell(env: Env, sender: string): Promise<void> {
  const numbers = takeConfirmations(sender);
  if (numbers.length > 0) await home(env, sender).confirm(numbers);
}
