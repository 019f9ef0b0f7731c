// What a script of the Worker is made of: one JavaScript file beside its WebAssembly modules, and what a bare workerd is told
// of it. `build.mjs` makes the one that is deployed, `test/build.mjs` the one of the tests.

import * as esbuild from "esbuild";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** As in wrangler.toml. */
export const COMPATIBILITY_DATE = "2026-11-01";

/** What a deployed Worker is told by variables and secrets, and one under a bare workerd by its environment. */
export const VARIABLES = [
  "KIND", "SIGNING_KEY", "SIGNING_KEY_FALLBACK", "EVENT_KEYS", "RETRY_INTERVAL_MS", "WAIT_LOOK_BACK_MS", "CRON_CATCH_UP", "BACKLOG_LIMIT", "CALLS_PER_APP", "SHARDS", "LEASE_MS", "SLOW_CALL_MS", "LOCATION", "JURISDICTION",
].map((name) => `STEPWELL_${name}`);

/** Bindings and the classes of their objects, as in wrangler.toml. */
export const CLASSES = { EVENT_API: "EventApi", SCHEDULER: "Scheduler", EXECUTOR: "Executor", CARRIER: "Carrier" };

/** Bundles `entry` into `out`/index.js; modules stay files of their own, because Workers may not compile at run time. */
export async function bundle(entry, out) {
  await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2024",
    minifySyntax: true,
    minifyWhitespace: true,
    // jco asks for its debug setting at every call.
    define: { "globalThis.process": "undefined" },
    external: ["cloudflare:workers", "*.wasm"],
    outfile: join(out, "index.js"),
    logLevel: "warning",
  });
}

/** Writes `out`/workerd.capnp. */
export async function writeConfig(out, modules) {
  const config = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .stepwell),
    (name = "data", disk = (writable = true)),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8288", http = (), service = "main")],
);

const stepwell :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "index.js"),
${modules.map((file) => `    (name = "./${file}", wasm = embed "${file}"),`).join("\n")}
  ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [
${Object.entries(CLASSES).map(([name, made]) => `    (name = "${name}", durableObjectNamespace = "${made}"),`).join("\n")}
${VARIABLES.map((name) => `    (name = "${name}", fromEnvironment = "${name}"),`).join("\n")}
  ],
  durableObjectNamespaces = [
${Object.values(CLASSES).map((made) => `    (className = "${made}", uniqueKey = "stepwell-${made}", enableSql = true),`).join("\n")}
  ],
  durableObjectStorage = (localDisk = "data"),
);
`;
  await writeFile(join(out, "workerd.capnp"), config);
}
