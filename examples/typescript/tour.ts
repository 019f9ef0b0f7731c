// Every kind of step, in one run. Whom it asks for something (another function, an API, a model) is in this file too, so that nothing else is needed.
import { serve as listen } from "@hono/node-server";
import { Hono } from "hono";
import { Inngest, NonRetriableError } from "inngest";
import { createDefer } from "inngest/experimental";
import { serve } from "inngest/hono";

const port = Number(process.env.PORT ?? 3000);
const here = `http://127.0.0.1:${port}`;
const inngest = new Inngest({ id: "tour" });

/** Invoked by the tour, which gets what it returns. */
const double = inngest.createFunction({ id: "double", triggers: [] }, ({ event }) => 2 * (event.data as { n: number }).n);

/** Invoked by the tour, which catches its error: this is not worth trying again. */
const refuse = inngest.createFunction({ id: "refuse", retries: 3, triggers: [] }, () => {
  throw new NonRetriableError("not today");
});

/** Somebody else, who answers a moment later: with an event, and with a signal. */
const friend = inngest.createFunction({ id: "friend", triggers: [{ event: "tour/asked" }] }, async ({ event, step }) => {
  const { guest, bell } = event.data as { guest: string; bell: string };
  await step.sleep("think", "1s");
  await step.sendEvent("answer", { name: "tour/answered", data: { guest, likes: "it" } });
  await step.sendSignal("ring", { signal: bell, data: "ding" });
});

/** Starts once the tour is over, however it ends. */
const tidyUp = createDefer(inngest, { id: "tidy-up" }, ({ event, step }) => step.run("sweep", () => event.data.what));

/** Starts by the clock, whether the app has been heard of since or not. */
const nightly = inngest.createFunction({ id: "nightly", triggers: [{ cron: "TZ=Europe/Berlin 0 3 * * *" }] }, ({ step }) =>
  step.run("count the day's tours", () => 0),
);

const tour = inngest.createFunction(
  {
    id: "tour",
    retries: 2,
    triggers: [{ event: "tour/started" }],
    // Whoever sends `tour/stopped` with the same guest ends this run.
    cancelOn: [{ event: "tour/stopped", match: "data.guest" }],
    timeouts: { finish: "10m" },
    onFailure: ({ error, step }) => step.run("apologise", () => error.message),
  },
  async ({ event, step, defer, group, runId }) => {
    const { guest } = event.data as { guest: string };

    // Runs when this run is over, however it ends.
    defer("leave it tidy", { function: tidyUp, data: { what: "crumbs" } });

    // Code runs once; its result is remembered. One that throws is tried again, by itself.
    const greeting = await step.run("greet", () => `Welcome, ${guest}.`);

    // Nothing runs meanwhile, here or on the server.
    await step.sleep("take off the coat", "1s");
    await step.sleepUntil("until a moment that was just now", new Date());

    // Side by side, and the function goes on when both have ended; or as soon as one has.
    const [tea, cake] = await Promise.all([step.run("make tea", () => "tea"), step.run("cut cake", () => "cake")]);
    const first = await group.parallel({ mode: "race" }, () =>
      Promise.race([step.run("take the lift", () => "lift"), step.sleep("take the stairs", "2s").then(() => "stairs")]),
    );

    // Other functions of this app or of another one, their results and their errors.
    const four = await step.invoke("double two", { function: double, data: { n: 2 } });
    const refusal = await step.invoke("ask for the moon", { function: refuse, data: {} }).catch((error: Error) => error.message);

    // An event for others, and two waits for what they say: an event like this one, and a signal with a name of our own.
    const bell = `bell/${runId}`;
    await step.sendEvent("ask a friend", { name: "tour/asked", data: { guest, bell } });
    const [answer, signal] = await Promise.all([
      step.waitForEvent("wait for an answer", { event: "tour/answered", timeout: "1m", if: "event.data.guest == async.data.guest" }),
      step.waitForSignal("wait for the bell", { signal: bell, timeout: "1m", onConflict: "replace" }),
    ]);

    // Requests that the server makes: they are retried like steps, and no function of the app is busy meanwhile.
    const weather = await step.fetch(`${here}/weather`).then((response) => response.json());
    const model = step.ai.models.openai({ model: "parrot", apiKey: "none", baseUrl: here });
    const poem = await step.ai.infer("a poem", { model, body: { messages: [{ role: "user", content: greeting }] } });

    return { greeting, served: [tea, cake], first, four, refusal, likes: answer?.data.likes, signal: signal?.data, weather, poem: poem.choices[0]?.message.content };
  },
);

const app = new Hono();
app.on(["GET", "POST", "PUT"], "/api/inngest", serve({ client: inngest, functions: [tour, double, refuse, friend, tidyUp, nightly] }));
// What the tour asks for: an API, and a model that repeats what it is told.
app.get("/weather", (c) => c.json({ sun: true }));
app.post("/chat/completions", async (c) => {
  const { messages } = await c.req.json();
  return c.json({ choices: [{ message: { role: "assistant", content: `${messages.at(-1).content} ${messages.at(-1).content}` } }] });
});

listen({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(`${here}/api/inngest`));
