"""Ended at each moment between two things that a request does to the disk, and opened again."""

import copy
import itertools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from tests.durability.folder import check_folder
from tests.durability.ledger import Holding, Ledger
from tests.durability.process import (
    ACCOUNT,
    AWAY,
    HOME,
    OCI_MANIFEST,
    Faces,
    digest_of,
    manifest_of,
    opened,
    running,
)

pytestmark = pytest.mark.slow

QUIRKS = "ecr,-small_parts_refused,-blob_delete_unsupported"
REGIONS = (HOME, AWAY)
APP = "/v2/team/app"
COMMIT, RENAME, UNLINK = 'connection.execute("COMMIT")', "os.replace(self, target)", "os.unlink(self)"
LINK = "os.link(target, self)"


@dataclass
class Request:
    """What is asked for, what it makes of the repository, and what must be among the moments that were tried."""

    ask: Callable[[Faces], bool]
    after: Holding | None
    moments: set[str]
    afterwards: Callable[[Faces, Ledger], None] = lambda again, ledger: None
    """What else holds when the folder was opened again."""


def begin_upload(faces: Faces, data: bytes) -> str:
    location = faces.send("POST", f"{APP}/blobs/uploads/").headers["Location"]
    assert faces.send("PATCH", location, data).status == 201
    return location


def prepare(faces: Faces, ledger: Ledger) -> None:
    """team/app with an image and a blob of its own; team/other has two blobs."""
    faces.done("CreateRepository", repositoryName="team/app")
    faces.done("CreateRepository", repositoryName="team/other")
    for data in (b"config", b"alone"):
        faces.push_blob("team/app", data)
    for data in (b"config", b"of another"):
        faces.push_blob("team/other", data)
    body = manifest_of(digest_of(b"config"))
    assert faces.push_manifest("team/app", "latest", body).status == 201
    holding = Holding(blobs=frozenset({digest_of(b"config"), digest_of(b"alone")}))
    ledger.change(holding.with_image(body, "latest"), lambda: True)


def complete(faces: Faces, ledger: Ledger) -> Request:
    location, digest = begin_upload(faces, b"new"), digest_of(b"new")

    def goes_on_or_is_unknown(again: Faces, ledger: Ledger) -> None:
        answer = again.send("PUT", f"{location}?digest={digest}")
        if answer.status != 201:
            assert (answer.status, b"BLOB_UPLOAD_UNKNOWN" in answer.data) == (404, True)
            again.push_blob("team/app", b"new")
        ledger.change(ledger.held.with_blob(digest), lambda: True)
        ledger.settle(again)

    return Request(
        lambda faces: faces.send("PUT", f"{location}?digest={digest}").status == 201,
        ledger.held.with_blob(digest),
        {RENAME, COMMIT},
        goes_on_or_is_unknown,
    )


def send_part(faces: Faces, ledger: Ledger) -> Request:
    location, digest = begin_upload(faces, b"new"), digest_of(b"new, and more")

    def goes_on(again: Faces, ledger: Ledger) -> None:
        last = int(again.send("GET", location).headers["Range"].removeprefix("0-"))
        rest = b"new, and more"[last + 1 :]
        assert rest in {b"", b", and more"}
        assert again.send("PUT", f"{location}?digest={digest}", rest).status == 201

    write = "view = view[file.write(view) :]"
    part = b", and more"
    return Request(
        lambda faces: faces.send("PATCH", location, part).status == 201, ledger.held, {write, COMMIT}, goes_on
    )


def complete_what_another_has(faces: Faces, ledger: Ledger) -> Request:
    location, digest = begin_upload(faces, b"of another"), digest_of(b"of another")
    return Request(
        lambda faces: faces.send("PUT", f"{location}?digest={digest}").status == 201,
        ledger.held.with_blob(digest),
        {RENAME, COMMIT},
    )


def push_whole(faces: Faces, ledger: Ledger) -> Request:
    digest = digest_of(b"new")
    return Request(
        lambda faces: faces.send("POST", f"{APP}/blobs/uploads/?digest={digest}", b"new").status == 201,
        ledger.held.with_blob(digest),
        {"view = view[file.write(view) :]", RENAME, COMMIT},
    )


def begin(faces: Faces, ledger: Ledger) -> Request:
    return Request(lambda faces: faces.send("POST", f"{APP}/blobs/uploads/").status == 202, ledger.held, {COMMIT})


def cancel(faces: Faces, ledger: Ledger) -> Request:
    location = begin_upload(faces, b"new")
    return Request(lambda faces: faces.send("DELETE", location).status == 204, ledger.held, {COMMIT, UNLINK})


def delete_blob(faces: Faces, ledger: Ledger) -> Request:
    digest = digest_of(b"alone")
    return Request(
        lambda faces: faces.send("DELETE", f"{APP}/blobs/{digest}").status == 202,
        ledger.held.without_blob(digest),
        {COMMIT, UNLINK},
    )


def delete_image(faces: Faces, ledger: Ledger) -> Request:
    named = {"repositoryName": "team/app", "imageIds": [{"imageTag": "latest"}]}
    return Request(
        lambda faces: faces.call("BatchDeleteImage", **named)[1]["failures"] == [],
        ledger.held.without_tag("latest"),
        {COMMIT},
    )


def delete_repository(faces: Faces, ledger: Ledger) -> Request:
    begin_upload(faces, b"new")
    return Request(
        lambda faces: faces.call("DeleteRepository", repositoryName="team/app", force=True)[0] == 200,
        None,
        {COMMIT, UNLINK},
    )


def push_image(faces: Faces, ledger: Ledger) -> Request:
    body = manifest_of(digest_of(b"alone"))
    sent = {"repositoryName": "team/app", "imageManifest": body.decode(), "imageManifestMediaType": OCI_MANIFEST}
    return Request(
        lambda faces: faces.call("PutImage", **sent, imageTag="latest")[0] == 200,
        ledger.held.with_image(body, "latest"),
        {COMMIT},
    )


def copy_image(faces: Faces, ledger: Ledger) -> Request:
    """A push that is copied into another registry; it is over when the copy is."""
    destination = {"region": AWAY, "registryId": ACCOUNT}
    faces.done("PutReplicationConfiguration", replicationConfiguration={"rules": [{"destinations": [destination]}]})
    body = manifest_of(digest_of(b"alone"), [digest_of(b"config")])

    def is_copied(again: Faces, ledger: Ledger) -> None:
        wait_for_copies(again)
        copies = Ledger("team/app")
        if "copied" in ledger.held.tags:
            copies.change(Holding().with_image(body, "copied"), lambda: True)
        else:
            copies.change(None, lambda: True)
        copies.check_all(again, AWAY)

    return Request(
        lambda faces: faces.push_manifest("team/app", "copied", body).status == 201,
        ledger.held.with_image(body, "copied"),
        {LINK, COMMIT},
        is_copied,
    )


def wait_for_copies(faces: Faces) -> None:
    """Return when the image that was pushed last is copied, or cannot be."""
    deadline = time.monotonic() + 20
    named = {"repositoryName": "team/app", "imageId": {"imageTag": "copied"}}
    while "IN_PROGRESS" in str(faces.call("DescribeImageReplicationStatus", **named)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


REQUESTS = [
    begin,
    push_whole,
    send_part,
    complete,
    complete_what_another_has,
    cancel,
    delete_blob,
    delete_image,
    delete_repository,
    push_image,
    copy_image,
]


def end_after(number: int, data: Path, request: Request, ledger: Ledger) -> str | None:
    """Ask a server that ends itself after so many things; what the last one was, or None when it did not get there."""
    countdown = data.with_name(f"{data.name}.countdown")
    command = (sys.executable, str(Path(__file__).with_name("stopping.py")), str(countdown))
    with running(data, "--quirks", QUIRKS, regions=REGIONS, command=command) as server:
        countdown.write_text(str(number), encoding="ascii")
        try:
            assert ledger.change(request.after, lambda: request.ask(server)), "the request was refused"
            wait_for_copies(server)
        except urllib3.exceptions.HTTPError:
            server.process.wait(20)
    last = countdown.with_name(f"{countdown.name}.last")
    return last.read_text(encoding="utf-8") if last.exists() else None


def try_each_moment(
    folder: Path,
    prepare_request: Callable[[Faces, Ledger], Request],
    arrange: Callable[[Path], None] = lambda data: None,
) -> tuple[Request, list[str]]:
    """End a server at each moment of a request, on a folder of its own that `arrange` has made ready; the moments."""
    before, prepared = folder / "before", Ledger("team/app")
    with opened(before, quirks=QUIRKS, regions=REGIONS) as faces:
        prepare(faces, prepared)
        request = prepare_request(faces, prepared)
    moments: list[str] = []
    for number in itertools.count():
        data, ledger = folder / str(number), copy.deepcopy(prepared)
        shutil.copytree(before, data)
        arrange(data)
        moment = end_after(number, data, request, ledger)
        with opened(data, quirks=QUIRKS, regions=REGIONS) as again:
            ledger.settle(again)
            request.afterwards(again, ledger)
            for other in (b"config", b"of another"):
                assert again.send("HEAD", f"/v2/team/other/blobs/{digest_of(other)}").status == 200
        check_folder(data)
        if moment is None:
            break
        moments.append(moment)
    print(*moments, sep="\n")
    return request, moments


@pytest.mark.parametrize("prepare_request", REQUESTS, ids=lambda prepare_request: prepare_request.__name__)
def test_a_request_is_done_whole_or_not_at_all_when_the_process_ends_at_any_moment(tmp_path, prepare_request):
    request, moments = try_each_moment(tmp_path, prepare_request)
    assert request.moments <= set(moments)


@pytest.fixture
def other_file_system(tmp_path):
    """A folder that no file below tmp_path can have a hard link in."""
    memory = Path("/dev/shm")  # noqa: S108  the folder in it has a name of its own
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system, such as /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_a_copy_is_made_whole_or_not_at_all_when_there_can_be_no_hard_links(tmp_path, other_file_system):
    def put_elsewhere(data: Path) -> None:
        target = other_file_system / data.name
        target.mkdir()
        (data / ACCOUNT / AWAY).symlink_to(target)

    _, moments = try_each_moment(tmp_path, copy_image, put_elsewhere)
    assert {"sent = os.sendfile(outfd, infd, offset, blocksize)", RENAME, COMMIT} <= set(moments)
