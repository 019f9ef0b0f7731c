"""The functions that every lane serves; the JavaScript apps have the same ones by the same names."""

import asyncio
import datetime
import os
import time
import uuid

import inngest

from gates import opened
from record import execute

MIB = 1 << 20


def functions(client: inngest.Inngest) -> list[inngest.Function]:
    app = client.app_id
    served: list[inngest.Function] = []

    def serve(fn_id: str, *, event: str | None = None, expression: str | None = None, **options):
        trigger = inngest.TriggerEvent(event=event or f"{app}/{fn_id}", expression=expression)

        def decorate(handler):
            async def handle(ctx: inngest.Context):
                async def run(step: str, body):
                    return await ctx.step.run(step, lambda: execute(ctx.run_id, step, body))

                return await handler(ctx, run)

            served.append(client.create_function(fn_id=fn_id, trigger=trigger, **options)(handle))
            return handler

        return decorate

    @serve("single-step")
    async def single_step(ctx, run):
        return {"one": await run("one", lambda _: {"n": ctx.event.data["n"] + 1})}

    @serve("ten-steps")
    async def ten_steps(ctx, run):
        async def body(i: int):
            if gate := ctx.event.data.get("gate"):
                await opened(gate)
            if step_ms := ctx.event.data.get("step_ms"):
                await asyncio.sleep(step_ms / 1000)
            return {"i": i, "nonce": str(uuid.uuid4())}

        return [await run(f"s{i}", lambda _, i=i: body(i)) for i in range(10)]

    @serve("loop")
    async def loop(ctx, run):
        return [await run("loop", lambda _, i=i: i) for i in range(5)]

    @serve("nothing")
    async def nothing(ctx, run):
        await run("nothing", lambda _: None)

    @serve("echo")
    async def echo(ctx, run):
        return await run("echo", lambda _: ctx.event.data)

    @serve("send-event")
    async def send_event(ctx, run):
        ids = await ctx.step.send_event("notify", inngest.Event(name=f"{app}/single-step", data={"n": 41}))
        return {"ids": ids}

    @serve("parallel")
    async def parallel(ctx, run):
        return await ctx.group.parallel((lambda: run("a", lambda _: 1), lambda: run("b", lambda _: 2), lambda: run("c", lambda _: 3)))

    @serve("nested")
    async def nested(ctx, run):
        first = await run("first", lambda _: 10)

        async def chain():
            return await run("x1", lambda _: first + 1) + await run("x2", lambda _: 100)

        branches = await ctx.group.parallel((chain, lambda: run("y", lambda _: first + 2), lambda: run("z", lambda _: first + 3)))
        return {"branches": branches, "after": await run("after", lambda _: sum(branches))}

    @serve("race")
    async def race(ctx, run):
        async def slow(_):
            await opened(ctx.run_id)
            return "slow"

        branches = (lambda: run("fast", lambda _: "fast"), lambda: run("slow", slow))
        winners = await ctx.group.parallel(branches, parallel_mode=inngest.ParallelMode.RACE)
        return {"winner": winners[0], "after": await run("after", lambda _: f"after {winners[0]}")}

    # A chain goes on while what is beside it lasts, and the other way round.
    async def woken(ctx):
        same = "event.data.key == async.data.key"
        return await ctx.step.wait_for_event("wait", event=f"{app}/wake", if_exp=same, timeout=datetime.timedelta(hours=1))

    @serve("beside-a-wait")
    async def beside_a_wait(ctx, run):
        async def chain():
            return await run("a", lambda _: 1) + await run("b", lambda _: 2)

        event, total = await ctx.group.parallel((lambda: woken(ctx), chain))
        return {"n": event.data["n"], "sum": total}

    @serve("beside-a-step")
    async def beside_a_step(ctx, run):
        async def waiting():
            await woken(ctx)
            return await run("after", lambda _: "woken")

        async def held(_):
            await opened(ctx.run_id)
            return "held"

        return list(await ctx.group.parallel((waiting, lambda: run("held", held))))

    @serve("sleep")
    async def sleep(ctx, run):
        before = await run("before", lambda _: time.time_ns() // 1_000_000)
        await ctx.step.sleep("nap", datetime.timedelta(seconds=1))
        return {"before": before, "after": await run("after", lambda _: time.time_ns() // 1_000_000)}

    @serve("long-sleep")
    async def long_sleep(ctx, run):
        await run("before", lambda _: "slept")
        await ctx.step.sleep("night", datetime.timedelta(hours=1))
        await run("after", lambda _: "woken")

    @serve("flaky", retries=3)
    async def flaky(ctx, run):
        def body(before: int):
            if before < 2:
                raise ValueError(f"no {before}")
            return "yes"

        return await run("flaky", body)

    @serve("caught", retries=1)
    async def caught(ctx, run):
        def body(_):
            raise ValueError("always")

        try:
            await run("always", body)
            error = None
        except inngest.StepError as fault:
            error = {"name": fault.name, "message": fault.message}
        return {"caught": error, "cleanup": await run("cleanup", lambda _: "clean")}

    async def on_failure(ctx: inngest.Context):
        failed = ctx.event.data
        handled = {"message": failed["error"]["message"], "of": failed["event"]["name"]}
        return await ctx.step.run("handle", lambda: execute(f"about-{failed['run_id']}", "handle", lambda _: handled))

    @serve("failing", retries=1, on_failure=on_failure)
    async def failing(ctx, run):
        raise TypeError("fn boom")

    @serve("non-retriable-step", retries=5)
    async def non_retriable_step(ctx, run):
        def body(_):
            raise inngest.NonRetriableError("do not")

        return await run("never", body)

    @serve("non-retriable-function", retries=5)
    async def non_retriable_function(ctx, run):
        raise inngest.NonRetriableError("do not at all")

    @serve("retry-after", retries=1)
    async def retry_after(ctx, run):
        if ctx.attempt == 0:
            raise inngest.RetryAfterError("later", datetime.timedelta(seconds=2))
        return {"attempt": ctx.attempt}

    @serve("recovering", retries=2)
    async def recovering(ctx, run):
        kept = await run("kept", lambda _: "kept")
        if ctx.attempt == 0:
            raise ValueError("once")
        return {"kept": kept, "attempt": ctx.attempt}

    @serve("big-step")
    async def big_step(ctx, run):
        big = await run("make", lambda _: "x" * (3 * MIB))
        return await run("measure", lambda _: len(big))

    @serve("big-state")
    async def big_state(ctx, run):
        parts = [await run(f"part{i}", lambda _, i=i: str(i) * MIB) for i in range(6)]
        await ctx.step.sleep("settle", datetime.timedelta(seconds=1))
        return await run("measure", lambda _: " ".join(f"{part[0]}:{len(part)}" for part in parts))

    @serve("oversized-step", retries=0)
    async def oversized_step(ctx, run):
        return await run("make", lambda _: "x" * (5 * MIB))

    hour = datetime.timedelta(hours=1)
    second = datetime.timedelta(seconds=1)
    three_seconds = datetime.timedelta(seconds=3)

    # Fails where it is run first, and completes in a rerun: each run is told apart by its id.
    @serve("recovering-by-rerun", retries=0)
    async def recovering_by_rerun(ctx, run):
        paid = await run("paid", lambda _: ctx.run_id)

        def ship(_):
            if paid == ctx.run_id:
                raise RuntimeError("nothing leaves today")
            return ctx.run_id

        return {"paid": paid, "shipped": await run("shipped", ship)}

    @serve("wait")
    async def wait(ctx, run):
        same = "event.data.key == async.data.key"
        woken = await ctx.step.wait_for_event("wait", event=f"{app}/wake", if_exp=same, timeout=hour)
        return await run("after", lambda _: woken.data)

    @serve("wait-in-vain")
    async def wait_in_vain(ctx, run):
        woken = await ctx.step.wait_for_event("wait", event=f"{app}/never", timeout=second)
        return await run("after", lambda _: {"woken": woken})

    @serve("two-waits")
    async def two_waits(ctx, run):
        def wait(step: str):
            same = "async.data.key == event.data.key"
            return lambda: ctx.step.wait_for_event(step, event=f"{app}/wake", if_exp=same, timeout=hour)

        one, two = await ctx.group.parallel((wait("one"), wait("two")))
        return {"same": one.id == two.id, "data": one.data}

    @serve("bad-wait")
    async def bad_wait(ctx, run):
        return await ctx.step.wait_for_event("wait", event=f"{app}/never", if_exp="async.data ===", timeout=hour)

    @serve("child")
    async def child(ctx, run):
        return await run("double", lambda _: {"doubled": ctx.event.data["n"] * 2})

    @serve("broken-child")
    async def broken_child(ctx, run):
        raise inngest.NonRetriableError("child boom")

    async def message_of(call):
        try:
            await call
        except inngest.StepError as fault:
            return {"caught": fault.message}
        return {"caught": None}

    @serve("parent")
    async def parent(ctx, run):
        result = await ctx.step.invoke_by_id("call", app_id=app, function_id="child", data={"n": ctx.event.data["n"]})
        return await run("after", lambda _: result)

    @serve("parent-of-broken")
    async def parent_of_broken(ctx, run):
        return await message_of(ctx.step.invoke_by_id("call", app_id=app, function_id="broken-child"))

    @serve("parent-of-nobody")
    async def parent_of_nobody(ctx, run):
        return await message_of(ctx.step.invoke_by_id("call", app_id="nowhere", function_id="nobody"))

    @serve("parent-of-slow")
    async def parent_of_slow(ctx, run):
        call = ctx.step.invoke_by_id("call", app_id=app, function_id="long-sleep", timeout=second)
        return await message_of(call)

    # Under limits; each holds its slot until its gate is opened.
    each_tenant = inngest.Concurrency(limit=1, key="event.data.tenant")
    shared = inngest.Concurrency(limit=1, scope="env", key="event.data.tenant")
    for fn_id, options in {
        "one-at-a-time": {"concurrency": [inngest.Concurrency(limit=1)]},
        "one-each": {"concurrency": [each_tenant, inngest.Concurrency(limit=2)]},
        "shared": {"concurrency": [shared]},
        "shared-too": {"concurrency": [shared]},
        "by-priority": {"concurrency": [inngest.Concurrency(limit=1)], "priority": inngest.Priority(run="event.data.ahead")},
        "throttled": {"throttle": inngest.Throttle(limit=1, period=datetime.timedelta(seconds=2), burst=0)},
    }.items():

        @serve(fn_id, **options)
        async def held(ctx, run):
            return await run("held", lambda _: opened(ctx.event.data.get("gate", "open")))

    # What comes to no run of its own, or to one with others.
    two_seconds = datetime.timedelta(seconds=2)
    for fn_id, options in {
        "rate-limited": {"rate_limit": inngest.RateLimit(limit=2, period=hour, key="event.data.tenant")},
        "once": {"idempotency": "event.data.order"},
        "debounced": {"debounce": inngest.Debounce(period=two_seconds, key="event.data.tenant")},
        # Long enough that two runs which begin at once invoke it within it, however busy the machine is.
        "debounced-slowly": {"debounce": inngest.Debounce(period=datetime.timedelta(seconds=8), key="event.data.tenant")},
    }.items():

        @serve(fn_id, **options)
        async def told(ctx, run):
            return await run("tell", lambda _: ctx.event.data["n"])

    @serve("batched", batch_events=inngest.Batch(max_size=3, timeout=two_seconds, key="event.data.tenant"))
    async def batched(ctx, run):
        return await run("tell", lambda _: {"first": ctx.event.data["n"], "all": [each.data["n"] for each in ctx.events]})

    for mode in ("skip", "cancel"):

        @serve(f"single-{mode}", singleton=inngest.Singleton(mode=mode, key="event.data.tenant"))
        async def single(ctx, run):
            await ctx.step.wait_for_event("wait", event=f"{app}/wake", if_exp="event.data.key == async.data.key", timeout=hour)
            return await run("tell", lambda _: ctx.event.data["n"])

    @serve("caller")
    async def caller(ctx, run):
        data = dict(ctx.event.data)
        callee = data.pop("callee")
        try:
            return {"result": await ctx.step.invoke_by_id("call", app_id=app, function_id=callee, data=data)}
        except inngest.StepError as fault:
            return {"result": {"error": fault.message}}

    @serve("cancellable", cancel=[inngest.Cancel(event=f"{app}/stop", if_exp="event.data.key == async.data.key")])
    async def cancellable(ctx, run):
        await ctx.step.sleep("night", hour)

    @serve("overtime", timeouts=inngest.Timeouts(finish=three_seconds))
    async def overtime(ctx, run):
        await ctx.step.sleep("night", hour)

    # Every minute is too often for tests that count: only a test of schedules asks for one.
    if schedule := os.environ.get("CRON"):

        @client.create_function(fn_id="scheduled", trigger=inngest.TriggerCron(cron=schedule))
        async def scheduled(ctx: inngest.Context):
            return await ctx.step.run("tell", lambda: tell(ctx.event))

        async def tell(event: inngest.Event):
            return {"id": event.id, "name": event.name, "ts": event.ts, "data": event.data}

        served.append(scheduled)

    @serve("conditional", expression="event.data.x > 1")
    async def conditional(ctx, run):
        return ctx.event.data["x"]

    @serve("wildcard", event=f"{app}/wild.*")
    async def wildcard(ctx, run):
        return ctx.event.name

    # Two functions that listen to the server's own events about two of the others; noted beside that other's run.
    @serve("on-cancelled", event="inngest/function.cancelled", expression=f"event.data.function_id == '{app}-long-sleep'")
    async def on_cancelled(ctx, run):
        return await ctx.step.run("seen", lambda: execute(f"about-{ctx.event.data['run_id']}", "cancellation seen", lambda _: True))

    @serve("on-finished", event="inngest/function.finished", expression=f"event.data.function_id == '{app}-single-step'")
    async def on_finished(ctx, run):
        return await ctx.step.run("seen", lambda: execute(f"about-{ctx.event.data['run_id']}", "end seen", lambda _: ctx.event.data["result"]))

    return served
