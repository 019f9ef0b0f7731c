// One call to an app: redirects keep method, headers and body, and the query is copied onto the new URL (PROTOCOL §6.2).

import type { actors, types } from "./engine.js";
import { cause } from "./log.js";

type Failure = "unreachable" | "timed-out" | "too-large" | "unreadable" | "refused";

/** A timer that is set for longer goes off at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

class Failed extends Error {
  constructor(readonly tag: Failure, message: string) {
    super(message);
  }
}

/** Makes a call; `renew`, every so often, says that it is under way, and whether it still counts. `lost`: it does not. `cut`: there
 * was no answer within `cutMs`, which is less than the app may take. */
export async function call(
  call: actors.AppCall,
  renewMs: number,
  renew: () => Promise<boolean>,
  cutMs = Infinity,
): Promise<actors.CallOutcome | "lost" | "cut"> {
  const abort = new AbortController();
  let isLost = false;
  let isLate = false;
  let isCut = false;
  const late = setTimeout(() => {
    isLate = true;
    abort.abort();
  }, Math.min(Number(call.timeMsMax), TIMER_MS_MAX));
  const cut = setTimeout(() => {
    isCut = true;
    abort.abort();
  }, Math.min(cutMs, TIMER_MS_MAX));
  const alive = setInterval(() => {
    renew().then(
      (counts) => {
        if (counts) return;
        isLost = true;
        abort.abort();
      },
      () => undefined,
    );
  }, renewMs);
  try {
    const answer = await (call.kind === "app" ? follow(call, abort.signal) : ask(call, abort.signal));
    return { id: call.id, answer: { tag: "ok", val: answer } };
  } catch (error) {
    if (isLost) return "lost";
    if (isCut && !isLate) return "cut";
    const tag = isLate ? "timed-out" : error instanceof Failed ? error.tag : "unreachable";
    const text = isLate ? `no answer within ${call.timeMsMax} ms` : cause(error);
    return { id: call.id, answer: { tag: "err", val: { tag, val: text } } };
  } finally {
    clearTimeout(late);
    clearTimeout(cut);
    clearInterval(alive);
  }
}

async function follow(call: actors.AppCall, signal: AbortSignal): Promise<types.AppAnswer> {
  let url = parsed(call.url);
  const first = url;
  for (let hop = 0; hop <= call.redirectsMax; hop += 1) {
    const response = await fetch(url, { method: call.method, headers: call.headers, body: call.body, redirect: "manual", signal });
    const location = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get("location") : null;
    if (location === null) return read(response, Number(call.answerBytesMax));
    await response.body?.cancel();
    url = parsed(location, url);
    for (const [name, value] of first.searchParams) if (!url.searchParams.has(name)) url.searchParams.append(name, value);
  }
  throw new Failed("unreadable", `the app redirected more than ${call.redirectsMax} times`);
}

/** A request for a step, to somebody else's server: redirects as the platform's own fetch has them. What is private to somebody is not
 * to be reached from Cloudflare at all; the names of this very machine are refused so that a `workerd` elsewhere is not asked either. */
async function ask(call: actors.AppCall, signal: AbortSignal): Promise<types.AppAnswer> {
  const url = parsed(call.url);
  if (call.kind === "fetch-public" && isOwn(url.hostname)) throw new Failed("refused", `${url.hostname} is not a public address`);
  const body = ["GET", "HEAD"].includes(call.method) ? undefined : call.body;
  const response = await fetch(url, { method: call.method, headers: call.headers, redirect: "follow", signal, ...(body ? { body } : {}) });
  return read(response, Number(call.answerBytesMax));
}

function isOwn(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || /^(0|10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168)\./.test(host) || host.startsWith("[");
}

function parsed(text: string, base?: URL): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Failed("unreachable", `${text} is not an http or https URL`);
  return url;
}

async function read(response: Response, bytesMax: number): Promise<types.AppAnswer> {
  const encoding = response.headers.get("content-encoding");
  if (encoding !== null && !["gzip", "br", "identity"].includes(encoding)) throw new Failed("unreadable", `the content encoding ${encoding} is not understood`);
  const tooLarge = (): Error => new Failed("too-large", `the answer is larger than ${bytesMax} bytes`);
  try {
    return { status: response.status, headers: [...response.headers], body: await readBody(response.body, bytesMax, tooLarge) };
  } catch (error) {
    // What came was not what its encoding says; the runtime tells it apart from a connection that broke by its words alone.
    if (encoding !== null && /compress|header check|zlib|brotli/i.test(cause(error))) throw new Failed("unreadable", cause(error));
    throw error;
  }
}

/** A whole body, as long as it is no larger than that. Of one that is larger so many more bytes are read and dropped: who is still sending hears why it is
 * refused, where a connection that is closed under a sender tells nothing. */
export async function readBody(body: ReadableStream<Uint8Array> | null, bytesMax: number, tooLarge: () => Error, droppedMax = 0): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  if (body !== null) {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size <= bytesMax) {
        parts.push(value);
        continue;
      }
      parts.length = 0;
      if (size - bytesMax > droppedMax) {
        await reader.cancel().catch(() => undefined);
        break;
      }
    }
  }
  if (size > bytesMax) throw tooLarge();
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
