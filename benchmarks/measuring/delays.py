"""A server that is farther away: each answer comes later than it would from this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CHUNK = 65_536


@contextmanager
def delayed(endpoint: str, seconds: float) -> Iterator[str]:
    """Another URL of the same server, whose answers come so much later. Requests on one connection do not overlap."""
    where = urlsplit(endpoint)
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(where.hostname, where.port)

        async def ask() -> None:
            while data := await reader.read(CHUNK):
                requests.write(data)
            requests.close()

        asking = asyncio.create_task(ask())
        try:
            while data := await answers.read(CHUNK):
                loop.call_later(seconds, writer.write, data)
        except ConnectionError:
            pass
        finally:
            asking.cancel()
            loop.call_later(seconds, writer.close)

    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, name="delayed", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
