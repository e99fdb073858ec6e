"""What nobody refers to is collected, when its time has come; what somebody is just getting is not."""

import threading
import time
from datetime import timedelta

import pytest

from local_ecr import Quirks, Registry
from local_ecr.housekeeping import Housekeeping
from local_ecr.state.content import ContentStore, upload_name
from tests.durability.folder import check_folder

HOUR = timedelta(hours=1, seconds=1)
DAY = timedelta(hours=24, seconds=1)
ROUNDS = 150


@pytest.fixture
def uploads(stand):
    """The names of the files of uploads."""
    return lambda: {path.name for path in stand.data.glob("*/*/uploads/*")}


def test_uploads_go_when_nobody_has_finished_them_for_a_day(stand, team_app, uploads):
    old = team_app.send("POST", "blobs/uploads/").headers["Location"]
    team_app.send("PATCH", old, body=b"given up")
    stand.clock.ahead = HOUR
    young = team_app.send("POST", "blobs/uploads/").headers["Location"].rsplit("/", 1)[1]
    stand.ecr.run_due()
    assert uploads() == {old.rsplit("/", 1)[1], young}
    stand.clock.ahead = DAY
    stand.ecr.run_due()
    assert uploads() == {young}


def test_files_that_no_row_tells_of_go_within_an_hour_when_the_process_goes_on(stand, team_app, uploads):
    digest = team_app.push_blob(b"kept")
    folder = stand.data / "111122223333" / "us-east-1"
    stand.ecr.run_due()
    (folder / "uploads" / "orphan").write_bytes(b"of a commit that met a full disk")
    (folder / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"as well")
    stand.clock.ahead = HOUR
    stand.ecr.run_due()
    assert uploads() == set()
    assert [path.name for path in (folder / "blobs" / "sha256").iterdir()] == [digest.removeprefix("sha256:")]


def test_files_are_found_when_others_go_meanwhile(tmp_path):
    content = ContentStore(tmp_path)
    registry = Registry("111122223333", "us-east-1")
    content.begin(registry, "stays")
    ended = threading.Event()

    def come_and_go():
        while not ended.is_set():
            for name in range(50):
                content.begin(registry, f"goes-{name}")
            for name in range(50):
                content.remove_upload(registry, f"goes-{name}")

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        assert all(upload_name(registry, "stays") in content.sizes() for _ in range(300))
    finally:
        ended.set()
        other.join()


def test_a_sweep_comes_when_the_clock_was_put_back(stand, uploads):
    housekeeping = Housekeeping(stand.ecr.store)
    folder = stand.data / "111122223333" / "us-east-1" / "uploads"
    folder.mkdir(parents=True)
    housekeeping(stand.clock() + DAY)
    (folder / "orphan").touch()
    housekeeping(stand.clock() + DAY)
    assert uploads() == {"orphan"}
    housekeeping(stand.clock())
    assert uploads() == set()


def test_a_part_is_refused_when_its_upload_is_collected_while_it_comes_in(stand, team_app):
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    [path] = stand.data.glob("*/*/uploads/*")

    def body():
        yield b"x" * (2 << 20)
        deadline = time.monotonic() + 10
        while path.stat().st_size == 0 and time.monotonic() < deadline:
            time.sleep(0.002)
        stand.clock.ahead = DAY
        stand.ecr.run_due()
        yield b"y" * (2 << 20)

    answer = team_app.send("PATCH", location, body=body())
    assert (answer.status, b"BLOB_UPLOAD_UNKNOWN" in answer.data) == (404, True)


@pytest.mark.slow
def test_a_blob_stays_when_it_is_uploaded_while_another_repository_drops_it(make_stand):
    stand = make_stand(quirks=Quirks.parse("none"))
    failures = []
    for name in ("team/app", "team/other"):
        stand.client().create_repository(repositoryName=name)

    def push_and_drop(repository_name):
        face = stand.distribution(repository_name=repository_name)
        try:
            for _ in range(ROUNDS):
                digest = face.push_blob(b"the same in both")
                assert face.send("GET", f"blobs/{digest}").data == b"the same in both"
                assert face.send("DELETE", f"blobs/{digest}").status == 202
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push_and_drop, args=(name,)) for name in ("team/app", "team/other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    check_folder(stand.data)
