// HTTP requests: an exchange of the engine says what one means and whom it asks.

import { type Env, home, nameOf } from "./address.js";
import { readBody } from "./call.js";
import { catalog, learn, recent } from "./catalog.js";
import { Follower } from "./chain.js";
import { takeConfirmations } from "./confirm.js";
import { type http, instance } from "./engine.js";
import { Exchange } from "./exchange.js";
import { ASK_MS_MAX, BODY_BYTES_MAX, BODY_BYTES_DROPPED_MAX } from "./limits.js";
import { cause, log } from "./log.js";
import { settings } from "./settings.js";

class Unreadable extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** Answers a request, come what may. */
export async function answer(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  try {
    return await exchange(request, env, ctx);
  } catch (error) {
    const code = error instanceof Unreadable ? error.code : "engine_fault";
    if (code === "engine_fault") log("error", "no answer", { method: request.method, url: request.url, code, cause: cause(error) });
    try {
      return response(instance("event-api", settings(env)).requests((http) => http.refuse(code)));
    } catch {
      const body = { error: "The server could not make a decision. Nothing was changed; see its log.", status: 500, code: "engine_fault" };
      return Response.json(body, { status: 500 });
    }
  }
}

async function exchange(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const url = new URL(request.url);
  await recent(env, ctx);
  const given = settings(env);
  const limits = instance("event-api", given).requests((http) => http.requestLimits());
  const body = await bodyOf(request, Math.min(Number(limits.bodyBytesMax), BODY_BYTES_MAX), Number(limits.bodyTimeMsMax));
  const entropy = crypto.getRandomValues(new BigUint64Array(2)) as unknown as [bigint, bigint];
  const open = new Exchange(given, {
    now: BigInt(Date.now()),
    entropy,
    request: { method: request.method, path: url.pathname, query: url.search.slice(1), headers: [...request.headers], body },
  });
  try {
    const news = new Map<string, number>();
    let channels: string[] = [];
    let progress = open.start();
    for (;;) {
      if (progress.tag === "respond") return response(progress.val);
      let answers: http.Answer[] = [];
      if (progress.tag === "ask") {
        if (progress.val.channels.length > 0) channels = progress.val.channels;
        answers = await Promise.all(progress.val.questions.map(async (question) => ask(env, ctx, question, news)));
      } else {
        const ms = Number(progress.val) - Date.now();
        // A channel is named for the actor that publishes in it.
        const watched = channels[0];
        if (watched !== undefined && ms > 0) await newsOf(env, watched, news.get(watched) ?? -1, ms);
      }
      progress = open.resume(BigInt(Date.now()), answers);
    }
  } finally {
    open.free();
  }
}

/** Waits for news of an actor, or for the loss of its object, after which it is to be asked again. */
async function newsOf(env: Env, actor: string, seen: number, ms: number): Promise<void> {
  try {
    await home(env, actor).watch(seen, ms);
  } catch (error) {
    log("warn", "an actor was lost while it was watched", { actor, cause: cause(error) });
  }
}

/** Asks an actor. What it wants done in the world is done behind the response, unless the answer depends on it. */
async function ask(env: Env, ctx: ExecutionContext, question: http.Question, news: Map<string, number>): Promise<http.Answer> {
  const to = nameOf(question.to);
  try {
    const made = await home(env, to).deliver(to, { tag: "ask", body: question.body }, catalog().version, { confirmed: takeConfirmations(to) });
    news.set(to, made.news);
    if (made.catalog > catalog().version) {
      const newest = await home(env, "catalog/0").catalog();
      if (newest !== undefined) learn(newest);
    }
    if (made.fault !== undefined) {
      return { tag: "err", val: made.fault.code === "overloaded" ? { tag: "overloaded" } : { tag: "fault", val: made.fault.message } };
    }
    const reply = made.replies.find(({ token }) => token === made.token);
    if (reply !== undefined) {
      if (made.calls.length + made.letters.length > 0) ctx.waitUntil(new Follower(env, ctx).proceed(to, made));
      return { tag: "ok", val: reply.body };
    }
    return await later(env, ctx, to, made);
  } catch (error) {
    log("warn", "an actor did not answer", { actor: to, cause: cause(error) });
    return { tag: "err", val: failureOf(error) };
  }
}

/** What an error of the platform means to whoever asked. */
export function failureOf(error: unknown): http.AskFailure {
  const isOverloaded = (error as { overloaded?: boolean } | undefined)?.overloaded === true;
  return isOverloaded ? { tag: "overloaded" } : { tag: "fault", val: cause(error) };
}

/** An answer that comes of calls, which this Worker makes. */
async function later(env: Env, ctx: ExecutionContext, from: string, made: import("./object.js").Delivered): Promise<http.Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ tag: "err", val: { tag: "timed-out" } }), ASK_MS_MAX);
    const follower = new Follower(env, ctx, ({ token, body }) => {
      if (token !== made.token) return;
      clearTimeout(timer);
      resolve({ tag: "ok", val: body });
    });
    ctx.waitUntil(follower.proceed(from, made));
  });
}

async function bodyOf(request: Request, bytesMax: number, msMax: number): Promise<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreadable("body_timeout")), msMax);
  });
  try {
    const said = Number(request.headers.get("content-length") ?? "0");
    // Nothing is kept of what says that it is too large.
    const keptMax = said > bytesMax ? 0 : bytesMax;
    return await Promise.race([readBody(request.body, keptMax, () => new Unreadable("body_too_large"), BODY_BYTES_DROPPED_MAX), late]);
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable("body_unreadable");
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

function response(made: http.Response): Response {
  const isEmpty = [101, 204, 205, 304].includes(made.status);
  return new Response(isEmpty ? null : made.body, { status: made.status, headers: made.headers });
}
