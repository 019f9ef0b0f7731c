// The functions that every lane serves; the Python app has the same ones by the same names.
import { randomUUID } from "node:crypto";
import { opened } from "./gates.js";
import { execute } from "./record.js";

const MIB = 1 << 20;

/**
 * @param app the app's id, also the prefix of its events' names
 * @param define `(options, trigger, handler)` in the spelling of the SDK's version
 * @param errors the SDK's `NonRetriableError` and `RetryAfterError`
 * @param referenceFunction the SDK's way to name a function of another app
 */
export const functions = ({ app, define, errors: { NonRetriableError, RetryAfterError }, referenceFunction }) => {
  const on = (name) => ({ event: `${app}/${name}` });
  const simple = (id, handler, options = {}) => define({ id, ...options }, on(id), (ctx) => handler({ ...ctx, run: runner(ctx) }));
  const runner = ({ step, runId }) => (id, body) => step.run(id, () => execute(runId, id, body));

  const child = simple("child", ({ event, run }) => run("double", () => ({ doubled: event.data.n * 2 })));
  const brokenChild = simple("broken-child", () => {
    throw new NonRetriableError("child boom");
  });

  return [
    simple("single-step", async ({ event, run }) => ({ one: await run("one", () => ({ n: event.data.n + 1 })) })),

    simple("ten-steps", async ({ event, run }) => {
      const results = [];
      for (let i = 0; i < 10; i++) {
        results.push(
          await run(`s${i}`, async () => {
            if (event.data.gate) await opened(event.data.gate);
            if (event.data.step_ms) await new Promise((resolve) => setTimeout(resolve, event.data.step_ms));
            return { i, nonce: randomUUID() };
          }),
        );
      }
      return results;
    }),

    simple("loop", async ({ run }) => {
      const results = [];
      for (let i = 0; i < 5; i++) results.push(await run("loop", () => i));
      return results;
    }),

    simple("nothing", async ({ run }) => {
      await run("nothing", () => undefined);
    }),

    simple("echo", ({ event, run }) => run("echo", () => event.data)),

    simple("send-event", async ({ step }) => step.sendEvent("notify", { name: `${app}/single-step`, data: { n: 41 } })),

    simple("parallel", ({ run }) => Promise.all([run("a", () => 1), run("b", () => 2), run("c", () => 3)])),

    simple("nested", async ({ run }) => {
      const first = await run("first", () => 10);
      const chain = async () => (await run("x1", () => first + 1)) + (await run("x2", () => 100));
      const branches = await Promise.all([chain(), run("y", () => first + 2), run("z", () => first + 3)]);
      const after = await run("after", () => branches.reduce((sum, n) => sum + n, 0));
      return { branches, after };
    }),

    simple("promise-race", async ({ run, runId }) => {
      const slow = async () => {
        await opened(runId);
        return "slow";
      };
      const winner = await Promise.race([run("fast", () => "fast"), run("slow", slow)]);
      const after = await run("after", () => `after ${winner}`);
      return { winner, after };
    }),

    // A chain goes on while what is beside it lasts, and the other way round.
    simple("beside-a-wait", async ({ run, step }) => {
      const wait = step.waitForEvent("wait", { event: `${app}/wake`, if: "event.data.key == async.data.key", timeout: "1h" });
      const chain = async () => (await run("a", () => 1)) + (await run("b", () => 2));
      const [woken, sum] = await Promise.all([wait, chain()]);
      return { n: woken.data.n, sum };
    }),
    simple("beside-a-step", async ({ run, runId, step }) => {
      const waiting = async () => {
        await step.waitForEvent("wait", { event: `${app}/wake`, if: "event.data.key == async.data.key", timeout: "1h" });
        return run("after", () => "woken");
      };
      const held = async () => {
        await opened(runId);
        return "held";
      };
      return Promise.all([waiting(), run("held", held)]);
    }),

    simple("sleep", async ({ run, step }) => {
      const before = await run("before", () => Date.now());
      await step.sleep("nap", "1s");
      const after = await run("after", () => Date.now());
      return { before, after };
    }),

    simple("long-sleep", async ({ run, step }) => {
      await run("before", () => "slept");
      await step.sleep("night", "1h");
      await run("after", () => "woken");
    }),

    simple(
      "flaky",
      ({ run }) =>
        run("flaky", (before) => {
          if (before < 2) throw new Error(`no ${before}`);
          return "yes";
        }),
      { retries: 3 },
    ),

    simple(
      "caught",
      async ({ run }) => {
        const caught = await run("always", () => {
          throw new RangeError("always");
        }).catch((error) => ({ name: error.name, message: error.message }));
        const cleanup = await run("cleanup", () => "clean");
        return { caught, cleanup };
      },
      { retries: 1 },
    ),

    simple(
      "failing",
      () => {
        throw new TypeError("fn boom");
      },
      {
        retries: 1,
        onFailure: ({ event, error, step }) => {
          const failed = event.data;
          return step.run("handle", () => execute(`about-${failed.run_id}`, "handle", () => ({ message: error.message, of: failed.event.name })));
        },
      },
    ),

    simple(
      "non-retriable-step",
      ({ run }) =>
        run("never", () => {
          throw new NonRetriableError("do not");
        }),
      { retries: 5 },
    ),

    simple(
      "non-retriable-function",
      () => {
        throw new NonRetriableError("do not at all");
      },
      { retries: 5 },
    ),

    simple(
      "retry-after",
      ({ attempt }) => {
        if (attempt === 0) throw new RetryAfterError("later", "2s");
        return { attempt };
      },
      { retries: 1 },
    ),

    simple(
      "recovering",
      async ({ attempt, run }) => {
        const kept = await run("kept", () => "kept");
        if (attempt === 0) throw new Error("once");
        return { kept, attempt };
      },
      { retries: 2 },
    ),

    simple("big-step", async ({ run }) => {
      const big = await run("make", () => "x".repeat(3 * MIB));
      return run("measure", () => big.length);
    }),

    simple("big-state", async ({ run, step }) => {
      const parts = [];
      for (let i = 0; i < 6; i++) parts.push(await run(`part${i}`, () => String(i).repeat(MIB)));
      await step.sleep("settle", "1s");
      return run("measure", () => parts.map((part) => `${part[0]}:${part.length}`).join(" "));
    }),

    simple("oversized-step", ({ run }) => run("make", () => "x".repeat(5 * MIB)), { retries: 0 }),

    // Fails where it is run first, and completes in a rerun: each run is told apart by its id.
    simple(
      "recovering-by-rerun",
      async ({ run, runId }) => {
        const paid = await run("paid", () => runId);
        const shipped = await run("shipped", () => {
          if (paid === runId) throw new Error("nothing leaves today");
          return runId;
        });
        return { paid, shipped };
      },
      { retries: 0 },
    ),

    simple("with-input", async ({ step }) => ({ sum: await step.run("sum", (a, b) => a + b, 1, 2) })),

    simple("wait", async ({ run, step }) => {
      const woken = await step.waitForEvent("wait", { event: `${app}/wake`, if: "event.data.key == async.data.key", timeout: "1h" });
      return run("after", () => woken.data);
    }),

    simple("wait-in-vain", async ({ run, step }) => {
      const woken = await step.waitForEvent("wait", { event: `${app}/never`, timeout: "1s" });
      return run("after", () => ({ woken }));
    }),

    simple("two-waits", async ({ step }) => {
      const wait = (id) => step.waitForEvent(id, { event: `${app}/wake`, if: "async.data.key == event.data.key", timeout: "1h" });
      const [one, two] = await Promise.all([wait("one"), wait("two")]);
      return { same: one.id === two.id, data: one.data };
    }),

    simple("bad-wait", ({ step }) => step.waitForEvent("wait", { event: `${app}/never`, if: "async.data ===", timeout: "1h" })),

    simple("wait-for-signal", ({ event, step }) =>
      step.waitForSignal("wait", { signal: event.data.signal, timeout: "1h", onConflict: event.data.conflict ?? "fail" }),
    ),

    simple("send-signal", ({ event, step }) => step.sendSignal("send", { signal: event.data.signal, data: { by: "step" } })),

    child,
    brokenChild,
    simple("parent", async ({ event, run, step }) => {
      const result = await step.invoke("call", { function: child, data: { n: event.data.n } });
      return run("after", () => result);
    }),
    simple("parent-of-broken", async ({ step }) => {
      const caught = await step.invoke("call", { function: brokenChild, data: {} }).catch((error) => error.message);
      return { caught };
    }),
    simple("parent-of-nobody", async ({ step }) => {
      const nobody = referenceFunction({ appId: "nowhere", functionId: "nobody" });
      const caught = await step.invoke("call", { function: nobody, data: {} }).catch((error) => error.message);
      return { caught };
    }),
    simple("parent-of-slow", async ({ step }) => {
      const slow = referenceFunction({ appId: app, functionId: "long-sleep" });
      const caught = await step.invoke("call", { function: slow, data: {}, timeout: "1s" }).catch((error) => error.message);
      return { caught };
    }),

    simple("cancellable", async ({ step }) => step.sleep("night", "1h"), {
      cancelOn: [{ event: `${app}/stop`, if: "event.data.key == async.data.key" }],
    }),
    simple("overtime", async ({ step }) => step.sleep("night", "1h"), { timeouts: { finish: "3s" } }),

    // Under limits; each holds its slot until its gate is opened.
    ...[
      ["one-at-a-time", { concurrency: 1 }],
      ["one-each", { concurrency: [{ limit: 1, key: "event.data.tenant" }, { limit: 2 }] }],
      ["shared", { concurrency: [{ limit: 1, scope: "env", key: "event.data.tenant" }] }],
      ["shared-too", { concurrency: [{ limit: 1, scope: "env", key: "event.data.tenant" }] }],
      ["by-priority", { concurrency: 1, priority: { run: "event.data.ahead" } }],
      ["throttled", { throttle: { limit: 1, period: "2s", burst: 0 } }],
    ].map(([id, options]) => simple(id, ({ event, run }) => run("held", () => opened(event.data.gate ?? "open")), options)),
    simple("one-run", async ({ event, run, step }) => {
      await run("before", () => true);
      await step.waitForEvent("wait", { event: `${app}/wake`, if: "event.data.key == async.data.key", timeout: "1h" });
    }, { concurrency: { fn: [{ limit: 1 }] } }),

    // What comes to no run of its own, or to one with others.
    ...[
      ["rate-limited", { rateLimit: { limit: 2, period: "1h", key: "event.data.tenant" } }],
      ["once", { idempotency: "event.data.order" }],
      ["debounced", { debounce: { period: "2s", key: "event.data.tenant" } }],
      // Long enough that two runs which begin at once invoke it within it, however busy the machine is.
      ["debounced-slowly", { debounce: { period: "8s", key: "event.data.tenant" } }],
    ].map(([id, options]) => simple(id, ({ event, run }) => run("tell", () => event.data.n), options)),
    simple("batched", ({ event, events, run }) => run("tell", () => ({ first: event.data.n, all: events.map((each) => each.data.n) })), {
      batchEvents: { maxSize: 3, timeout: "2s", key: "event.data.tenant" },
    }),
    ...["skip", "cancel"].map((mode) =>
      simple(`single-${mode}`, async ({ event, run, step }) => {
        await step.waitForEvent("wait", { event: `${app}/wake`, if: "event.data.key == async.data.key", timeout: "1h" });
        return run("tell", () => event.data.n);
      }, { singleton: { mode, key: "event.data.tenant" } }),
    ),
    simple("caller", async ({ event, step }) => {
      const { callee, ...data } = event.data;
      const called = referenceFunction({ appId: app, functionId: callee });
      const result = await step.invoke("call", { function: called, data }).catch((error) => ({ error: error.message }));
      return { result };
    }),

    // Every minute is too often for tests that count: only a test of schedules asks for one.
    ...(process.env.CRON ? [define({ id: "scheduled" }, { cron: process.env.CRON }, ({ event, step }) => step.run("tell", () => event))] : []),

    define({ id: "conditional" }, { event: `${app}/conditional`, if: "event.data.x > 1" }, ({ event }) => event.data.x),

    define({ id: "wildcard" }, { event: `${app}/wild.*` }, ({ event }) => event.name),

    // Two functions that listen to the server's own events about two of the others; noted beside that other's run.
    define({ id: "on-cancelled" }, { event: "inngest/function.cancelled", if: `event.data.function_id == '${app}-long-sleep'` }, ({ event, step }) =>
      step.run("seen", () => execute(`about-${event.data.run_id}`, "cancellation seen", () => true)),
    ),
    define({ id: "on-finished" }, { event: "inngest/function.finished", if: `event.data.function_id == '${app}-single-step'` }, ({ event, step }) =>
      step.run("seen", () => execute(`about-${event.data.run_id}`, "end seen", () => event.data.result)),
    ),
  ];
};
