"""A blob on its way out, when the client leaves in the middle."""

import asyncio
import io
import threading

import pytest
from starlette.requests import Request

from local_ecr.data import streaming
from local_ecr.data.streaming import serve_blob
from local_ecr.names import Digest


class SlowFile(io.FileIO):
    """A file that takes its time to read."""

    def __init__(self, path):
        super().__init__(path)
        self.is_read, self.go_on = threading.Event(), threading.Event()

    def read(self, size=-1):
        self.is_read.set()
        self.go_on.wait(10)
        return super().read(size)


def test_a_file_stays_open_when_the_client_leaves_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "blob"
    path.write_bytes(b"content")
    file = SlowFile(path)
    monkeypatch.setattr(streaming, "_open", lambda _: (file, len(b"content")))

    async def leave():
        request = Request({"type": "http", "method": "GET", "headers": []})
        blob = (await serve_blob(request, path, Digest("sha256:0"))).body_iterator
        client = asyncio.create_task(anext(blob))
        await asyncio.to_thread(file.is_read.wait, 10)
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client
        was_closed_early = file.closed
        file.go_on.set()
        async with asyncio.timeout(10):
            while not file.closed:
                await asyncio.sleep(0.001)
        return was_closed_early

    assert asyncio.run(leave()) is False
