"""What the app saw: every call that reached it and every step body that ran. All of it stands outside the SDK."""

import hashlib
import json
import time
import urllib.parse

calls: list[dict] = []
executions: list[dict] = []

VALUE_BYTES_MAX = 512
"""A memo longer than this is recorded by its hash alone."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _hash(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def _digest(value: object) -> dict:
    text = json.dumps(value, separators=(",", ":"))
    short = {"bytes": len(text), "sha1": _hash(text)}
    return {**short, "value": value} if len(text) <= VALUE_BYTES_MAX else short


def _parsed(text: bytes | str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _summary(status: int, headers: dict, text: bytes | str) -> dict:
    body = _parsed(text)
    if status == 201 and isinstance(body, dict) and "body" in body:
        inner = {**headers, **{name.lower(): value for name, value in body.get("headers", {}).items()}}
        return {"outer_status": 201, **_summary(body["status"], inner, body["body"])}
    summary = {
        "status": status,
        "no_retry": headers.get("x-inngest-no-retry"),
        "retry_after": headers.get("retry-after"),
        "req_version": headers.get("x-inngest-req-version"),
        "signed": "x-inngest-signature" in headers,
    }
    if status == 206:
        ops = body if isinstance(body, list) else [body]
        named = [op for op in ops if isinstance(op, dict)]
        return {**summary, "ops": [{"op": op.get("op"), "id": op.get("id"), "name": op.get("displayName")} for op in named]}
    return {**summary, "body": _digest(body)}


async def execute(run: str, step: str, body):
    """Runs a step's body and notes that it ran; the body is told how often it has run before in this run."""
    before = sum(1 for one in executions if one["run"] == run and one["step"] == step)
    executions.append({"run": run, "step": step, "id": _hash(step), "at_ms": now_ms()})
    result = body(before)
    return await result if hasattr(result, "__await__") else result


def show(run: str | None) -> dict:
    def about(rows: list[dict]) -> list[dict]:
        return [row for row in rows if run is None or row["run"] == run]

    return {"calls": about(calls), "executions": about(executions), "requests": []}


def count() -> dict:
    return {"calls": len(calls)}


class RecordCalls:
    """ASGI middleware: notes the call when it has come whole and its answer when it has left."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            return await self.app(scope, receive, send)
        chunks = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        whole = b"".join(chunks)
        call = _call(scope, whole)
        calls.append(call)
        handed_over = False

        async def replay():
            nonlocal handed_over
            if handed_over:
                return await receive()
            handed_over = True
            return {"type": "http.request", "body": whole, "more_body": False}

        status, headers, answer = 500, {}, []

        async def keep(message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {name.decode().lower(): value.decode() for name, value in message.get("headers", [])}
            else:
                answer.append(message.get("body", b""))
            await send(message)

        await self.app(scope, replay, keep)
        call["answer"] = {"at_ms": now_ms(), "whole": True, **_summary(status, headers, b"".join(answer))}
        return None


def _call(scope, text: bytes) -> dict:
    parsed = _parsed(text)
    body = parsed if isinstance(parsed, dict) else {}
    query = dict(urllib.parse.parse_qsl(scope["query_string"].decode()))
    ctx, event, events, steps = body.get("ctx"), body.get("event"), body.get("events"), body.get("steps")
    return {
        "at_ms": now_ms(),
        "method": scope["method"],
        "path": scope["path"],
        "function": query.get("fnId"),
        "step_id": query.get("stepId"),
        "run": ctx and ctx.get("run_id"),
        "ctx": ctx,
        "version": body.get("version"),
        "use_api": body.get("use_api"),
        "event": event and {"id": event.get("id"), "name": event.get("name")},
        "events": None if events is None else len(events),
        "steps": None if steps is None else {id: _digest(memo) for id, memo in steps.items()},
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        "answer": None,
    }
