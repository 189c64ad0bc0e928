"""Threads in PostgreSQL, for an app of several servers: LangGraph's own checkpointer and store.

    pip install langgraph-checkpoint-postgres 'psycopg[binary]'
    python examples/postgres_threads.py postgresql://user:secret@localhost/app "What do two cups cost?"

The store holds which calls were begun and ended: with it a run that another server takes over makes none twice. Let one
server at a time work on a thread; the agent refuses a second run on a thread in its own process only.
"""

from __future__ import annotations

import asyncio
import os
import sys

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres import AsyncPostgresStore

from alpha_umi import Agent


def price(article: str, count: int = 1) -> float:
    """What a number of articles costs, in euros."""
    return {"cup": 4.5, "plate": 7.0}[article] * count


async def main(url: str, question: str = "", thread: str = "main") -> None:
    """Ask a further question of a thread; without one go on where it stopped."""
    async with AsyncPostgresSaver.from_conn_string(url) as saver, AsyncPostgresStore.from_conn_string(url) as store:
        await saver.setup()
        await store.setup()
        team = os.environ.get("ALPHA_UMI_TEAM", "default")
        agent = Agent.from_team(team, tools=[price], threads=saver, store=store)
        result = await (agent.arun(question, thread=thread) if question else agent.aresume(thread))
    print(result.answer or f"no answer ({result.outcome}): {result.reason}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
