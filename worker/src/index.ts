// The Worker: requests in, one class of objects for each part of the engine.

import { type Env } from "./address.js";
import { Home } from "./object.js";
import { answer } from "./requests.js";
import { lookAfterAlarms } from "./safety.js";
import { fault } from "./settings.js";

export { Carrier } from "./carrier.js";
export { Chain } from "./chain.js";

/** Houses `catalog`, `stream` and `history`. */
export class EventApi extends Home {}
/** Houses `gate`, `waits` and `cron`. */
export class Scheduler extends Home {}
/** Houses `run`. */
export class Executor extends Home {}

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const missing = fault(env);
    if (missing !== undefined) return Response.json({ error: missing, status: 500, code: "settings_missing" }, { status: 500 });
    return answer(request, env, ctx);
  },

  async scheduled(_event, env, ctx): Promise<void> {
    if (fault(env) === undefined) await lookAfterAlarms(env, ctx);
  },
} satisfies ExportedHandler<Env>;
