// Builds the Worker of the tests: the same sources and components, with what tests do to it from outside (probe/index.ts).
//
//   node test/build.mjs <folder of the Worker that was built> <output folder>

import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { bundle, writeConfig } from "../bundle.mjs";
import { TRAP } from "./probe/trap.wasm.mjs";

const [dist, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node test/build.mjs <dist> <out>");
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const modules = (await readdir(dist)).filter((file) => file.endsWith(".wasm"));
await Promise.all(modules.map((file) => copyFile(join(dist, file), join(out, file))));
await writeFile(join(out, "trap.wasm"), TRAP);
await bundle(join(import.meta.dirname, "probe/index.ts"), out);
await writeConfig(out, [...modules, "trap.wasm"]);

// Unit tests run in Node: the same sources, with modules compiled where Workers have them compiled already.
const unit = join(import.meta.dirname, "unit");
const tests = (await readdir(unit)).filter((file) => file.endsWith(".test.ts"));
const modulesOfNode = {
  name: "modules",
  setup(build) {
    build.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: join(out, path), namespace: "module" }));
    build.onLoad({ filter: /.*/, namespace: "module" }, ({ path }) => ({
      contents: `import { readFileSync } from "node:fs"; export default new WebAssembly.Module(readFileSync(${JSON.stringify(path)}));`,
    }));
    build.onResolve({ filter: /^cloudflare:workers$/ }, () => ({ path: "workers", namespace: "none" }));
    build.onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "export class DurableObject {}\nexport class WorkerEntrypoint {}" }));
  },
};
await esbuild.build({
  entryPoints: tests.map((file) => join(unit, file)),
  bundle: true,
  platform: "node",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  outdir: join(out, "unit"),
  plugins: [modulesOfNode],
  logLevel: "warning",
});
