"""A registry far away: a TCP proxy on this machine, which carries bytes later, and only so many in a second."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

CHUNK = 65_536
SLACK = 2.0  # times what a line holds: bytes that are taken before they are carried


@contextmanager
def long_path(host: str, *, round_trip: float, bytes_per_second: float) -> Iterator[str]:
    """Another host and port of the same registry; in a process of its own, which takes no time from who measures."""
    ours, theirs = multiprocessing.Pipe()
    arguments = (host, round_trip / 2, bytes_per_second, theirs)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=arguments, daemon=True)
    process.start()
    try:
        yield f"127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(host: str, delay: float, bytes_per_second: float, told: Connection) -> None:
    name, _, port = host.partition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * delay)  # as long as a handshake takes
        try:
            answers, requests = await asyncio.open_connection(name, int(port))
        except OSError:
            writer.close()
            return
        line = _Line(delay, bytes_per_second)
        await asyncio.gather(line.carry(reader, requests), line.carry(answers, writer))

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


class _Line:
    def __init__(self, delay: float, bytes_per_second: float) -> None:
        self._delay = delay
        self._pace = bytes_per_second

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction of one connection, until its end."""
        loop = asyncio.get_running_loop()
        chunks = max(4, int(SLACK * self._pace * self._delay / CHUNK))
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(chunks)
        delivering = asyncio.create_task(_deliver(under_way, writer))
        free = loop.time()
        try:
            while data := await reader.read(CHUNK):
                free = max(free, loop.time()) + len(data) / self._pace
                await under_way.put((free + self._delay, data))
        except ConnectionError:
            pass
        await under_way.put((loop.time() + self._delay, b""))
        await delivering


async def _deliver(under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    try:
        while True:
            due, data = await under_way.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        while (await under_way.get())[1]:
            pass
    writer.close()
