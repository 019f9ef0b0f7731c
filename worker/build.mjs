// Builds the Worker: components -> core modules and JavaScript (jco) -> one script beside its modules (esbuild).
//
//   node build.mjs <folder of the components> <output folder>

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import * as esbuild from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** What the platform takes of a Worker on the free plan, gzipped. */
const GZIP_BYTES_MAX = 3 * 1024 * 1024;

/** As in wrangler.toml. */
const COMPATIBILITY_DATE = "2026-11-01";

const [components, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node build.mjs <components> <out>");
const here = import.meta.dirname;
const gen = join(here, "gen");
await rm(gen, { recursive: true, force: true });
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const modules = [];
for (const name of ["event-api", "scheduler", "executor", "ledger"]) {
  const component = await readFile(join(components, `${name}.wasm`));
  const options = { name, instantiation: "sync", wasiShim: false, noNodejsCompat: true, base64Cutoff: 0, outDir: join(gen, name) };
  const { files } = await transpileBytes(component, options);
  for (const [file, content] of files instanceof Map ? files : Object.entries(files)) {
    const path = file.startsWith(gen) ? file : join(gen, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    if (path.endsWith(".wasm")) {
      modules.push(basename(path));
      await writeFile(join(out, basename(path)), content);
    }
  }
}

// Workers may not compile at run time: each core module is a module of the script.
const imports = modules.map((file, place) => `import m${place} from "./${file}";`).join("\n");
const entries = modules.map((file, place) => `  ${JSON.stringify(file)}: m${place},`).join("\n");
await writeFile(
  join(gen, "modules.ts"),
  `// Made by build.mjs.\n${imports}\n\nconst all: Record<string, WebAssembly.Module> = {\n${entries}\n};\n\n` +
    "export function modules(name: string): WebAssembly.Module {\n  const found = all[name];\n" +
    "  if (found === undefined) throw new Error(`no module ${name}`);\n  return found;\n}\n",
);
await writeFile(join(gen, "wasm.d.ts"), 'declare module "*.wasm" {\n  const module: WebAssembly.Module;\n  export default module;\n}\n');

await esbuild.build({
  entryPoints: [join(here, "src/index.ts")],
  bundle: true,
  format: "esm",
  target: "es2024",
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  external: ["cloudflare:workers", "*.wasm"],
  outfile: join(out, "index.js"),
  logLevel: "warning",
});

let zipped = 0;
for (const file of ["index.js", ...modules]) {
  const bytes = await readFile(join(out, file));
  const size = gzipSync(bytes, { level: 9 }).length;
  zipped += size;
  if (size > 1024) console.log(`${file.padEnd(24)} ${String(bytes.length >> 10).padStart(6)} KiB, ${String(size >> 10).padStart(5)} KiB gzipped`);
}
console.log(`${"worker".padEnd(24)} ${"".padStart(10)}  ${String(zipped >> 10).padStart(5)} KiB gzipped`);

// For workerd alone: the same script, told by its environment what a deployed one is told by variables and secrets.
const variables = [
  "KIND", "SIGNING_KEY", "SIGNING_KEY_FALLBACK", "EVENT_KEYS", "RETRY_INTERVAL_MS", "WAIT_LOOK_BACK_MS", "LEASE_MS", "LOCATION", "JURISDICTION",
].map((name) => `    (name = "STEPWELL_${name}", fromEnvironment = "STEPWELL_${name}"),`);
const classes = { EVENT_API: "EventApi", SCHEDULER: "Scheduler", EXECUTOR: "Executor" };
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
${Object.entries(classes).map(([name, made]) => `    (name = "${name}", durableObjectNamespace = "${made}"),`).join("\n")}
${variables.join("\n")}
  ],
  durableObjectNamespaces = [
${Object.values(classes).map((made) => `    (className = "${made}", uniqueKey = "stepwell-${made}", enableSql = true),`).join("\n")}
  ],
  durableObjectStorage = (localDisk = "data"),
);
`;
await writeFile(join(out, "workerd.capnp"), config);
if (zipped > GZIP_BYTES_MAX) throw new Error(`the Worker is ${zipped} bytes gzipped; the platform takes ${GZIP_BYTES_MAX}`);
