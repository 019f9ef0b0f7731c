import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import type * as TypeScript from "typescript";

// Where `cargo xtask test` starts it.
const WORKER = process.cwd();
const ts = createRequire(join(WORKER, "package.json"))("typescript") as typeof TypeScript;

const sources = readdirSync(join(WORKER, "src")).map((file) => join(WORKER, "src", file));

test("the engine's modules are reached through engine.ts alone, which guards every call", () => {
  const users = sources.filter((file) => /from "(\.\.\/gen\/(?!.*interfaces)|.*modules\.js)/.test(readFileSync(file, "utf8")));
  assert.deepEqual(users, [join(WORKER, "src/engine.ts")]);
});

test("no promise is left to itself: what fails is caught, waited for, or given up in so many words", () => {
  const config = ts.getParsedCommandLineOfConfigFile(join(WORKER, "tsconfig.json"), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: ({ messageText }) => assert.fail(JSON.stringify(messageText)) });
  assert.ok(config !== undefined);
  const program = ts.createProgram(sources, config.options);
  const checker = program.getTypeChecker();
  const found: string[] = [];
  let seen = 0;
  const look = (node: TypeScript.Node, file: TypeScript.SourceFile): void => {
    // Who keeps a promise may wait for it later.
    const isKept = (made: TypeScript.Expression): boolean => ts.isAwaitExpression(made) || ts.isVoidExpression(made) || ts.isBinaryExpression(made);
    if (ts.isExpressionStatement(node) && !isKept(node.expression)) {
      seen += 1;
      const type = checker.getTypeAtLocation(node.expression);
      const isPromise = (type.isUnion() ? type.types : [type]).some((one) => one.getProperty("then") !== undefined);
      // A second argument of `then` takes the failure.
      const isCaught = ts.isCallExpression(node.expression) && ts.isPropertyAccessExpression(node.expression.expression)
        && (node.expression.expression.name.text === "catch" || (node.expression.expression.name.text === "then" && node.expression.arguments.length === 2));
      if (isPromise && !isCaught) found.push(`${file.fileName}: ${node.getText(file)}`);
    }
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${file.fileName}: any, which checks nothing: ${node.parent.getText(file)}`);
    ts.forEachChild(node, (child) => look(child, file));
  };
  for (const file of program.getSourceFiles()) {
    if (sources.includes(file.fileName)) look(file, file);
  }
  assert.ok(seen > 50, `only ${seen} statements were looked at`);
  assert.deepEqual(found, []);
});
