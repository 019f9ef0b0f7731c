// The lanes of inngest 4: what the SDK does by default, without checkpoints, streamed, and with parallelism as in version 3.
import express from "express";
import { Inngest, NonRetriableError, RetryAfterError, referenceFunction } from "inngest";
import { createDefer } from "inngest/experimental";
import { serve } from "inngest/express";
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
  const all = [...shared, race, later, deferring, fetching, fetchingInVain, infer];
  return { [`/api/${app}`]: serve({ client, functions: all, ...serveOptions }) };
};

listen(express, {
  ...lane("js4"),
  ...lane("js4-plain", { checkpointing: false }),
  ...lane("js4-buffered", { checkpointing: { bufferedSteps: 3 } }),
  ...lane("js4-stream", {}, { streaming: true }),
  ...lane("js4-v1", { optimizeParallelism: false }),
});
