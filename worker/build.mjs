// Builds the Worker: components -> core modules and JavaScript (jco) -> one script beside its modules (esbuild).
//
//   node build.mjs <folder of the components> <output folder>

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundle, writeConfig } from "./bundle.mjs";

/** What the platform takes of a Worker on the free plan, gzipped. */
const GZIP_BYTES_MAX = 3 * 1024 * 1024;

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

await bundle(join(here, "src/index.ts"), out);

let zipped = 0;
for (const file of ["index.js", ...modules]) {
  const bytes = await readFile(join(out, file));
  const size = gzipSync(bytes, { level: 9 }).length;
  zipped += size;
  if (size > 1024) console.log(`${file.padEnd(24)} ${String(bytes.length >> 10).padStart(6)} KiB, ${String(size >> 10).padStart(5)} KiB gzipped`);
}
console.log(`${"worker".padEnd(24)} ${"".padStart(10)}  ${String(zipped >> 10).padStart(5)} KiB gzipped`);

await writeConfig(out, modules);
if (zipped > GZIP_BYTES_MAX) throw new Error(`the Worker is ${zipped} bytes gzipped; the platform takes ${GZIP_BYTES_MAX}`);
