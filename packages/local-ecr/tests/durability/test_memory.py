"""What a process takes of memory: the same for a blob of any size, and a bound for each part sent through the API."""

import base64
import hashlib
import random
import threading
from pathlib import Path

import pytest

from tests.durability.process import digest_of, manifest_of, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc"),
]

MIB = 1 << 20
PART = 20 * MIB  # the largest that the API model allows
CLIENTS = 8
PER_PART, READING = 48 * MIB, 128 * MIB
"""A part is there as base64 and as bytes while it is written; reading the JSON of one takes five times its size."""
MMAP_THRESHOLD = str(MIB)
"""glibc raises the size from which it maps memory of its own with each large piece that is freed, up to 32 MiB
(mallopt(3)): parts then lie in arenas, whose gaps double what the process seems to take in some runs."""


def test_memory_does_not_grow_with_the_size_of_a_blob(tmp_path):
    block, count = random.Random(1).randbytes(MIB), 1024  # noqa: S311  any bytes
    hasher = hashlib.sha256()
    for _ in range(count):
        hasher.update(block)
    digest = f"sha256:{hasher.hexdigest()}"
    with running(tmp_path) as server:
        server.done("CreateRepository", repositoryName="team/app")
        server.push_blob("team/app", b"warm")
        before = server.peak_memory()

        location = server.send("POST", "/v2/team/app/blobs/uploads/").headers["Location"]
        assert server.send("PATCH", location, (block for _ in range(count))).status == 201
        assert server.send("PUT", f"{location}?digest={digest}").status == 201
        assert server.push_manifest("team/app", "big", manifest_of(digest)).status == 201
        pulled, received = server.send("GET", f"/v2/team/app/blobs/{digest}", preload_content=False), 0
        for piece in pulled.stream(MIB):
            received += len(piece)

        assert received == count * MIB
        assert server.peak_memory() - before < 40 * MIB


def test_memory_stays_under_its_bound_when_many_clients_send_the_largest_parts_through_the_api(tmp_path, monkeypatch):
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", MMAP_THRESHOLD)
    data = random.Random(2).randbytes(PART)  # noqa: S311  any bytes
    encoded, failures = base64.b64encode(data).decode(), []
    with running(tmp_path) as server:
        server.done("CreateRepository", repositoryName="team/app")
        server.push_blob("team/app", b"warm")
        before = server.peak_memory()

        def upload() -> None:
            try:
                named = {"repositoryName": "team/app"}
                upload_id = server.done("InitiateLayerUpload", **named)["uploadId"]
                named["uploadId"] = upload_id
                for first in (0, PART):
                    part = {"partFirstByte": first, "partLastByte": first + PART - 1, "layerPartBlob": encoded}
                    server.done("UploadLayerPart", **named, **part)
                status, answer = server.call("CompleteLayerUpload", **named, layerDigests=[digest_of(data + data)])
                assert status == 200 or answer["__type"] == "LayerAlreadyExistsException", answer
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=upload) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert server.peak_memory() - before < CLIENTS * PER_PART + READING
