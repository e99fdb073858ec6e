"""A disk that takes no more: a clear answer, nothing half-written to be seen, and all goes on when there is room again.

The limit for the size of files (RLIMIT_FSIZE) stands for a full disk: it needs no root, and writes fail half-way.
"""

import json
import resource
import subprocess
from contextlib import contextmanager

import pytest

from tests.durability.folder import check_folder
from tests.durability.process import COMMAND, digest_of, manifest_of, opened, running

pytestmark = pytest.mark.slow

MIB = 1 << 20
APP = "/v2/team/app"


@contextmanager
def full_disk(server, size=0):
    """No file of the server grows beyond this size meanwhile."""
    hard = resource.RLIM_INFINITY
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture
def server(tmp_path):
    with running(tmp_path, "--quirks", "ecr,-small_parts_refused") as one:
        one.done("CreateRepository", repositoryName="team/app")
        one.push_blob("team/app", b"config")
        assert one.push_manifest("team/app", "latest", manifest_of(digest_of(b"config"))).status == 201
        yield one


def refused(answer):
    """What the distribution specification's form of an error says of a disk."""
    assert (answer.status, answer.headers["Content-Type"]) == (500, "application/json")
    [error] = json.loads(answer.data)["errors"]
    return error["message"].startswith("The data folder cannot be written: ")


def test_requests_that_change_something_say_so_when_nothing_can_be_written(server):
    location = server.send("POST", f"{APP}/blobs/uploads/").headers["Location"]
    body = manifest_of(digest_of(b"config"))
    image = {"repositoryName": "team/app", "imageManifest": body.decode(), "imageTag": "more"}
    with full_disk(server):
        for method, path, sent in [
            ("POST", f"{APP}/blobs/uploads/", None),
            ("POST", f"{APP}/blobs/uploads/?digest={digest_of(b'new')}", b"new"),
            ("PATCH", location, b"new"),
            ("PUT", f"{location}?digest={digest_of(b'new')}", b"new"),
            ("DELETE", location, None),
            ("DELETE", f"{APP}/manifests/latest", None),
        ]:
            assert refused(server.send(method, path, sent)), method
        assert refused(server.push_manifest("team/app", "more", body))
        for operation, members in [
            ("CreateRepository", {"repositoryName": "team/more"}),
            ("InitiateLayerUpload", {"repositoryName": "team/app"}),
            ("PutImage", image),
            ("BatchDeleteImage", {"repositoryName": "team/app", "imageIds": [{"imageTag": "latest"}]}),
            ("DeleteRepository", {"repositoryName": "team/app", "force": True}),
        ]:
            status, answer = server.call(operation, **members)
            assert (status, answer["__type"]) == (500, "ServerException"), operation
            assert answer["message"].startswith("The data folder cannot be written: ")


def test_images_are_served_when_nothing_can_be_written(server):
    with full_disk(server):
        assert server.send("GET", f"{APP}/manifests/latest").data == manifest_of(digest_of(b"config"))
        assert server.send("GET", f"{APP}/blobs/{digest_of(b'config')}").data == b"config"
        found = server.done("BatchGetImage", repositoryName="team/app", imageIds=[{"imageTag": "latest"}])
        assert len(found["images"]) == 1
        assert json.loads(server.send("GET", f"{APP}/tags/list").data)["tags"] == ["latest"]


def test_an_upload_goes_on_behind_its_last_acknowledged_part_when_there_is_room_again(server, tmp_path):
    first, second = b"a" * MIB, b"b" * 8 * MIB
    location = server.send("POST", f"{APP}/blobs/uploads/").headers["Location"]
    assert server.send("PATCH", location, first).status == 201
    with full_disk(server, 4 * MIB):
        assert refused(server.send("PATCH", location, second))
        assert server.send("GET", location).headers["Range"] == f"0-{MIB - 1}"
    digest = digest_of(first + second)
    assert server.send("HEAD", f"{APP}/blobs/{digest}").status == 404
    assert server.send("PUT", f"{location}?digest={digest}", second).status == 201
    server.push_manifest("team/app", "whole", manifest_of(digest))
    assert server.send("GET", f"{APP}/blobs/{digest}").data == first + second
    server.kill()
    with opened(tmp_path):
        check_folder(tmp_path)


def test_all_works_again_when_there_is_room_again(server, tmp_path):
    location = server.send("POST", f"{APP}/blobs/uploads/").headers["Location"]
    assert server.send("PATCH", location, b"new").status == 201
    with full_disk(server):
        assert refused(server.send("PUT", f"{location}?digest={digest_of(b'new')}"))
        assert server.send("HEAD", f"{APP}/blobs/{digest_of(b'new')}").status == 404
    again = server.send("PUT", f"{location}?digest={digest_of(b'new')}")
    assert (again.status, b"BLOB_UPLOAD_UNKNOWN" in again.data) == (404, True)
    server.push_blob("team/app", b"new")
    assert server.push_manifest("team/app", "new", manifest_of(digest_of(b"new"))).status == 201
    assert server.send("GET", f"{APP}/blobs/{digest_of(b'new')}").data == b"new"
    server.kill()
    with opened(tmp_path):
        check_folder(tmp_path)


def test_it_does_not_start_when_its_folder_is_a_file(tmp_path):
    data = tmp_path / "data"
    data.write_bytes(b"")
    ended = subprocess.run([*COMMAND, "--data", str(data)], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode != 0
    assert str(data) in ended.stderr
    assert "Traceback" not in ended.stderr
