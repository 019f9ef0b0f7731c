"""The lanes of the Python SDK: as it comes, and streamed."""

import logging
import os
import sys
import threading

import fastapi
import inngest
import inngest.fast_api
import uvicorn

import gates
import record
from functions import functions

app = fastapi.FastAPI()


@app.get("/_calls")
async def calls(run: str | None = None):
    return record.show(run)


@app.get("/_count")
async def count():
    return record.count()


@app.post("/_gates/{name}")
async def open_gate(name: str):
    gates.open_gate(name)


for lane, streaming in {"py": None, "py-stream": inngest.Streaming.FORCE}.items():
    logger = logging.getLogger(lane)
    # Errors of user code are what the tests are about; they show in the runs.
    logger.setLevel(logging.CRITICAL)
    client = inngest.Inngest(app_id=lane, logger=logger)
    inngest.fast_api.serve(app, client, functions(client), serve_path=f"/api/{lane}", streaming=streaming)


def leave_with_the_harness() -> None:
    """The harness holds the other end of the pipe: when it is gone, however it went, so is the app."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=leave_with_the_harness, daemon=True).start()
    uvicorn.run(record.RecordCalls(app), host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error")
