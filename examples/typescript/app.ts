// An order is packed, paid and sent: every step durable, in one file.
import { serve as listen } from "@hono/node-server";
import { Hono } from "hono";
import { Inngest, RetryAfterError } from "inngest";
import { serve } from "inngest/hono";

const inngest = new Inngest({ id: "demo" });

const order = inngest.createFunction(
  { id: "order", retries: 3, triggers: [{ event: "demo/order.placed" }] },
  async ({ event, step, attempt }) => {
    const { id } = event.data as { id: number };

    const total = await step.run("look up the price", () => ({ id, cents: 4_200 }));

    // Fails at first: the server asks again a second later, and the steps before it are not run again.
    const payment = await step.run("charge the card", () => {
      if (attempt === 0) throw new RetryAfterError("the bank is busy", 1_000);
      return { paid: total.cents };
    });

    // Nothing runs while it sleeps, in this app or anywhere else.
    await step.sleep("let the paint dry", "2s");

    const [parcel, invoice] = await Promise.all([
      step.run("pack the parcel", () => ({ parcel: `parcel-${id}` })),
      step.run("write the invoice", () => ({ invoice: `invoice-${id}` })),
    ]);

    return { order: id, ...payment, ...parcel, ...invoice };
  },
);

const app = new Hono();
app.on(["GET", "POST", "PUT"], "/api/inngest", serve({ client: inngest, functions: [order] }));

const port = Number(process.env.PORT ?? 3000);
listen({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(`http://127.0.0.1:${port}/api/inngest`));
