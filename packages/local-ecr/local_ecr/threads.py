"""Threads for what blocks: disk, SQLite, and whoever receives events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

MOST = 40  # at once; one that waits for a receiver of events must not keep out what the receiver asks us

T = TypeVar("T")


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST, thread_name_prefix="local-ecr-request")  # starts a thread when all it has are busy


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run a function outside the event loop; it runs to its end even if the client leaves.

    anyio.to_thread does the same and needs a tenth of a small request's time for it.
    """
    return await asyncio.get_running_loop().run_in_executor(_workers(), function, *arguments)
