import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { call, readBody } from "../../src/call.js";

const RENEW_MS = 60_000;

async function serve(t: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function to(url: string, more = {}): Parameters<typeof call>[0] {
  return {
    id: "c", kind: "app", method: "POST", url, headers: [["x-a", "1"]], body: new TextEncoder().encode("body"), timeMsMax: 5_000n, answerBytesMax: 100n, redirectsMax: 2, ...more,
  };
}

const counts = async (): Promise<boolean> => true;
const answered = async (made: Promise<Awaited<ReturnType<typeof call>>>): Promise<{ status: number; headers: [string, string][]; body: Uint8Array }> => {
  const outcome = await made;
  assert.ok(typeof outcome !== "string" && outcome.answer.tag === "ok", JSON.stringify(outcome));
  return outcome.answer.val;
};
const failure = async (made: Promise<Awaited<ReturnType<typeof call>>>): Promise<unknown> => {
  const outcome = await made;
  assert.ok(typeof outcome !== "string" && outcome.answer.tag === "err");
  return outcome.answer.val.tag;
};

test("an answer comes with status, headers and its body decoded", async (t) => {
  const origin = await serve(t, (_, response) => response.writeHead(206, { "X-Sdk": "js", "content-encoding": "gzip" }).end(gzipSync("hello")));
  const { status, headers, body } = await answered(call(to(origin), RENEW_MS, counts));
  assert.deepEqual([status, new TextDecoder().decode(body)], [206, "hello"]);
  assert.ok(headers.some(([name, value]) => name === "x-sdk" && value === "js"));
});

test("a redirect keeps method, headers and body, and the query is copied onto the new URL", async (t) => {
  const seen: string[] = [];
  const origin = await serve(t, (request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part)).on("end", () => {
      seen.push(`${request.method} ${request.url} ${request.headers["x-a"]} ${Buffer.concat(parts)}`);
      if (request.url?.startsWith("/old")) response.writeHead(302, { location: "/new?fnId=kept&own=1" }).end();
      else response.end("there");
    });
  });
  await answered(call(to(`${origin}/old?fnId=f&stepId=s`), RENEW_MS, counts));
  assert.deepEqual(seen, ["POST /old?fnId=f&stepId=s 1 body", "POST /new?fnId=kept&own=1&stepId=s 1 body"]);
});

test("as many redirects as allowed are followed, and one more is not", async (t) => {
  const origin = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left > 0) response.writeHead(307, { location: `/${left - 1}` }).end();
    else response.end();
  });
  await answered(call(to(`${origin}/2`), RENEW_MS, counts));
  assert.equal(await failure(call(to(`${origin}/3`), RENEW_MS, counts)), "unreadable");
});

test("an answer as large as allowed is taken, and one byte more is not", async (t) => {
  const origin = await serve(t, (request, response) => response.end("x".repeat(Number(request.url?.slice(1)))));
  await answered(call(to(`${origin}/100`), RENEW_MS, counts));
  assert.equal(await failure(call(to(`${origin}/101`), RENEW_MS, counts)), "too-large");
});

test("nobody there, a broken connection and a URL of another kind are unreachable", async (t) => {
  const origin = await serve(t, (request) => request.socket.destroy());
  assert.equal(await failure(call(to(origin), RENEW_MS, counts)), "unreachable");
  assert.equal(await failure(call(to("http://127.0.0.1:1/"), RENEW_MS, counts)), "unreachable");
  for (const url of ["file:///etc/hosts", "not a url", ""]) assert.equal(await failure(call(to(url), RENEW_MS, counts)), "unreachable", url);
});

test("an encoding that nobody decodes is unreadable", async (t) => {
  const origin = await serve(t, (_, response) => response.writeHead(200, { "content-encoding": "zstd2" }).end("x"));
  assert.equal(await failure(call(to(origin), RENEW_MS, counts)), "unreadable");
});

test("an app that does not answer in time has timed out", async (t) => {
  const origin = await serve(t, () => undefined);
  assert.equal(await failure(call(to(origin, { timeMsMax: 50n }), RENEW_MS, counts)), "timed-out");
});

test("a call is cut off where it may not take as long as the app may", async (t) => {
  const origin = await serve(t, () => undefined);
  assert.equal(await call(to(origin), RENEW_MS, counts, 50), "cut");
  assert.equal(await failure(call(to(origin, { timeMsMax: 50n }), RENEW_MS, counts, 5_000)), "timed-out");
});

test("a call whose lease is gone is stopped and has no outcome; a renewal that fails is none", async (t) => {
  let closed: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const origin = await serve(t, (request) => request.socket.once("close", () => closed()));
  let asked = 0;
  const made = await call(to(origin), 5, async () => {
    asked += 1;
    if (asked === 1) throw new Error("no connection");
    return asked < 3;
  });
  assert.equal(made, "lost");
  assert.equal(asked, 3);
  await gone;
});

test("of a body that is too large so much is read and dropped, and of one that is larger yet the rest is left", async () => {
  const tooLarge = (): Error => new Error("too large");
  const read = async (bytes: number): Promise<string> => {
    let end = "read whole";
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (bytes === 0) return controller.close();
        bytes -= 1;
        controller.enqueue(new Uint8Array(1));
      },
      cancel: () => void (end = "left"),
    });
    return await readBody(body, 10, tooLarge, 5).then((whole) => `${whole.length} bytes`, (error: Error) => `${error.message}, ${end}`);
  };
  assert.equal(await read(10), "10 bytes");
  assert.equal(await read(11), "too large, read whole");
  assert.equal(await read(15), "too large, read whole");
  assert.equal(await read(16), "too large, left");
});
