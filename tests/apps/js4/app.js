// The lanes of inngest 4: what the SDK does by default, without checkpoints, streamed, and with parallelism as in version 3.
import express from "express";
import { Inngest, NonRetriableError, RetryAfterError, referenceFunction } from "inngest";
import { createDefer } from "inngest/experimental";
import { serve } from "inngest/express";
import { channel } from "inngest/realtime";
import { functions } from "../js/functions.js";
import { execute, recordedFetch } from "../js/record.js";
import { opened } from "../js/gates.js";
import { listen } from "../js/serve.js";

const lane = (app, clientOptions = {}, serveOptions = {}) => {
  const client = new Inngest({ id: app, fetch: recordedFetch, ...clientOptions });
  const define = (options, trigger, handler) => client.createFunction({ ...options, triggers: [trigger] }, handler);
  const race = define({ id: "race" }, { event: `${app}/race` }, async ({ group, runId, step }) => {
    const run = (id, body) => step.run(id, () => execute(runId, id, body));
    const slow = async () => {
      await opened(runId);
      return "slow";
    };
    const winner = await group.parallel({ mode: "race" }, () => Promise.race([run("fast", () => "fast"), run("slow", slow)]));
    const after = await run("after", () => `after ${winner}`);
    return { winner, after };
  });
  const later = createDefer(client, { id: "later" }, ({ event, step }) =>
    step.run("seen", () => execute(`deferred-by-${event.data.by}`, "seen", () => event.data.n)),
  );
  const deferring = define({ id: "deferring" }, { event: `${app}/deferring` }, async ({ defer, event, runId, step }) => {
    defer("kept", { function: later, data: { by: runId, n: event.data.n } });
    const takenBack = defer("taken-back", { function: later, data: { by: runId, n: 0 } });
    await step.run("between", () => execute(runId, "between", () => null));
    takenBack.abort();
    return "over";
  });
  // Work that is no step, longer than the SDK waits for steps: it answers that something is deferred, and no more.
  const think = () => new Promise((resolve) => setTimeout(resolve, 50));
  const keep = (defer, { event, runId }) => defer("kept", { function: later, data: { by: runId, n: event.data.n } });
  const deferringOnTheWay = define({ id: "deferring-on-the-way", retries: 0 }, { event: `${app}/deferring-on-the-way` }, async (ctx) => {
    const before = await ctx.step.run("before", () => execute(ctx.runId, "before", () => 1));
    keep(ctx.defer, ctx);
    await think();
    return before + (await ctx.step.run("after", () => execute(ctx.runId, "after", () => 2)));
  });
  const deferringBeside = define({ id: "deferring-beside", retries: 0 }, { event: `${app}/deferring-beside` }, async (ctx) => {
    const chain = async () => {
      const a = await ctx.step.run("a", () => execute(ctx.runId, "a", () => 1));
      keep(ctx.defer, ctx);
      await think();
      return a + (await ctx.step.run("b", () => execute(ctx.runId, "b", () => 2)));
    };
    const held = ctx.step.run("held", () => execute(ctx.runId, "held", () => opened(ctx.runId)));
    const [sum] = await Promise.all([chain(), held]);
    return sum;
  });
  const deferringInVain = define({ id: "deferring-in-vain", retries: 1 }, { event: `${app}/deferring-in-vain` }, async (ctx) => {
    keep(ctx.defer, ctx);
    throw new TypeError(`boom ${ctx.attempt}`);
  });
  // What this server does not know yet, as a step.
  const publishing = define({ id: "publishing", retries: 0 }, { event: `${app}/publishing` }, async ({ step }) => {
    const news = channel({ name: "news", topics: { told: {} } });
    const caught = await step.realtime.publish("tell", news.told, { n: 1 }).catch((error) => error.message);
    return { caught };
  });
  const defers = [later, deferring, deferringOnTheWay, deferringBeside, deferringInVain];
  const shared = functions({ app, define, errors: { NonRetriableError, RetryAfterError }, referenceFunction });
  // What the server asks for a step: somebody else's server, and a model's.
  const fetching = define({ id: "fetch", retries: 1 }, { event: `${app}/fetch` }, async ({ event, step }) => {
    const response = await step.fetch(event.data.url, { method: "PUT", headers: { "x-mine": "yes" }, body: "the body" });
    return { status: response.status, said: response.headers.get("x-said"), text: await response.text() };
  });
  const fetchingInVain = define({ id: "fetch-in-vain", retries: 1 }, { event: `${app}/fetch-in-vain` }, ({ event, step }) =>
    step.fetch(event.data.url).then(() => "there", (error) => ({ name: error.name, message: error.message })),
  );
  const infer = define({ id: "infer", retries: 1 }, { event: `${app}/infer` }, ({ event, step }) => {
    const model = step.ai.models.openai({ model: "tiny", apiKey: "sk-secret", baseUrl: event.data.url });
    return step.ai.infer("ask", { model, body: { messages: [{ role: "user", content: "hi" }] } });
  });
  const all = [...shared, race, ...defers, publishing, fetching, fetchingInVain, infer];
  return { [`/api/${app}`]: serve({ client, functions: all, ...serveOptions }) };
};

listen(express, {
  ...lane("js4"),
  ...lane("js4-plain", { checkpointing: false }),
  ...lane("js4-buffered", { checkpointing: { bufferedSteps: 3 } }),
  ...lane("js4-stream", {}, { streaming: true }),
  ...lane("js4-v1", { optimizeParallelism: false }),
});
