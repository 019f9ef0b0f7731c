// What the app saw: every call that reached it, every step body that ran, every request that the SDK sent.
// All of it stands outside the SDK: an HTTP middleware, a wrapper around step bodies, and the client's `fetch` option.
import { createHash } from "node:crypto";

export const calls = [];
export const executions = [];
export const requests = [];
let settled = 0;

/** A memo longer than this is recorded by its hash alone. */
const VALUE_BYTES_MAX = 512;

const hashOf = (text) => createHash("sha1").update(text).digest("hex");

const digest = (value) => {
  const text = JSON.stringify(value) ?? "null";
  const short = { bytes: text.length, sha1: hashOf(text) };
  return text.length <= VALUE_BYTES_MAX ? { ...short, value } : short;
};

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const summaryOf = (status, headers, text) => {
  const body = parsed(text);
  if (status === 201 && body?.body !== undefined) {
    return { outer_status: 201, ...summaryOf(body.status, { ...headers, ...lowered(body.headers) }, body.body) };
  }
  const ops = (Array.isArray(body) ? body : [body]).map((op) => ({ op: op?.op, id: op?.id, name: op?.displayName ?? op?.name }));
  return {
    status,
    no_retry: headers["x-inngest-no-retry"],
    retry_after: headers["retry-after"],
    req_version: headers["x-inngest-req-version"],
    signed: headers["x-inngest-signature"] !== undefined,
    ...(status === 206 ? { ops } : { body: digest(body) }),
  };
};

const lowered = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));

/** Express middleware: notes the call when it comes and its answer when it has left. */
export const recordCalls = (req, res, next) => {
  const body = req.body ?? {};
  const call = {
    at_ms: Date.now(),
    method: req.method,
    path: req.path,
    function: req.query.fnId,
    step_id: req.query.stepId,
    run: body.ctx?.run_id,
    ctx: body.ctx,
    version: body.version,
    use_api: body.use_api,
    event: body.event && { id: body.event.id, name: body.event.name },
    events: body.events?.length,
    steps: body.steps && Object.fromEntries(Object.entries(body.steps).map(([id, memo]) => [id, digest(memo)])),
    headers: { ...req.headers },
    answer: null,
  };
  calls.push(call);
  const chunks = [];
  const keep = (chunk) => {
    if (chunk && typeof chunk !== "function") chunks.push(Buffer.from(chunk));
  };
  const { write, end } = res;
  res.write = (chunk, ...rest) => (keep(chunk), write.call(res, chunk, ...rest));
  res.end = (chunk, ...rest) => (keep(chunk), end.call(res, chunk, ...rest));
  res.on("close", () => {
    const headers = lowered(res.getHeaders());
    call.answer = { at_ms: Date.now(), whole: res.writableFinished, ...summaryOf(res.statusCode, headers, Buffer.concat(chunks).toString()) };
    if (call.answer.whole) settled += 1;
  });
  next();
};

/** Runs a step's body and notes that it ran; the body is told how often it has run before in this run. */
export const execute = async (run, step, body) => {
  const before = executions.filter((one) => one.run === run && one.step === step).length;
  executions.push({ run, step, id: hashOf(step), at_ms: Date.now() });
  return body(before);
};

/** The `fetch` that clients are given: notes what the SDK asked the server and how that ended. */
export const recordedFetch = async (url, init) => {
  const body = typeof init?.body === "string" ? parsed(init.body) : undefined;
  const request = { at_ms: Date.now(), url: String(url), method: init?.method ?? "GET", run: body?.run_id, status: null };
  if (Array.isArray(body?.steps)) request.steps = body.steps.map(({ op, id }) => ({ op, id }));
  requests.push(request);
  const answer = await fetch(url, init);
  request.status = answer.status;
  if (answer.status === 200) settled += request.steps?.length ?? 0;
  request.answered_at_ms = Date.now();
  return answer;
};

/** `GET /_calls?run=<id>`: everything about one run, or everything. */
export const showCalls = (req, res) => {
  const { run } = req.query;
  const about = (list) => (run ? list.filter((one) => one.run === run || one.url?.includes(run)) : list);
  res.json({ calls: about(calls), executions: about(executions), requests: about(requests) });
};

/**
 * `GET /_count`: how many calls there were, and how much the server has been told of their ends (answers that left whole, steps whose
 * checkpoints it took). What still runs for a server that was killed counts for neither.
 */
export const count = (_req, res) => res.json({ calls: calls.length, settled });
