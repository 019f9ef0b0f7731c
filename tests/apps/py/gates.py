"""A gate holds a step's body until a test opens it, so that no test has to guess how long something takes."""

import asyncio
import collections

_gates: dict[str, asyncio.Event] = collections.defaultdict(asyncio.Event)


async def opened(name: str) -> None:
    """Returns once the gate is open."""
    await _gates[name].wait()


def open_gate(name: str) -> None:
    """`POST /_gates/{name}`."""
    _gates[name].set()
