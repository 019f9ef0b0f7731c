// The lanes of inngest 3: as it comes, and streamed.
import express from "express";
import { Inngest, NonRetriableError, RetryAfterError, referenceFunction } from "inngest";
import { serve } from "inngest/express";
import { functions } from "../js/functions.js";
import { recordedFetch } from "../js/record.js";
import { listen } from "../js/serve.js";

const lane = (app, serveOptions = {}) => {
  const client = new Inngest({ id: app, fetch: recordedFetch });
  const define = (options, trigger, handler) => client.createFunction(options, trigger, handler);
  const all = functions({ app, define, errors: { NonRetriableError, RetryAfterError }, referenceFunction });
  return { [`/api/${app}`]: serve({ client, functions: all, ...serveOptions }) };
};

listen(express, { ...lane("js3"), ...lane("js3-stream", { streaming: "force" }) });
