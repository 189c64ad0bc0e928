"""The agent behind a FastAPI app, its events streamed to the browser as they happen (server-sent events).

    pip install fastapi uvicorn
    uvicorn examples.fastapi_app:app
    curl -N 'http://127.0.0.1:8000/ask?question=What+do+two+cups+cost'

A client that goes away ends its run. One agent serves all requests: on one local model they share its forward passes.
The team is ALPHA_UMI_TEAM (a run folder, a YAML file, a shipped name).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import cache

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from alpha_umi import Agent

app = FastAPI()


def price(article: str, count: int = 1) -> float:
    """What a number of articles costs, in euros."""
    return {"cup": 4.5, "plate": 7.0}[article] * count


@cache
def agent() -> Agent:
    """Loaded with the first question, and kept."""
    return Agent.from_team(os.environ.get("ALPHA_UMI_TEAM", "default"), tools=[price])


@app.get("/ask")
def ask(question: str) -> StreamingResponse:
    """Answer a question; each event is a JSON object in a `data:` line, named by its kind."""

    async def events() -> AsyncIterator[str]:
        async with aclosing(agent().stream(question)) as stream:
            async for event in stream:
                yield f"event: {event.kind}\ndata: {event.model_dump_json()}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
