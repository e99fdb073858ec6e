"""Files and rows are brought together when a folder is opened again, however they came apart."""

import sqlite3

import pytest

from local_ecr import Quirks

FOLDER = "111122223333/us-east-1"


SMALL_PARTS = Quirks.parse("ecr,-small_parts_refused")


@pytest.fixture
def stand(make_stand):
    return make_stand(quirks=SMALL_PARTS)


@pytest.fixture
def reopened(make_stand):
    """Stop a stand and open its folder again; the /v2/ face of team/app there."""

    def reopen(first):
        first.server.stop()
        return make_stand(first.data, quirks=SMALL_PARTS).distribution()

    return reopen


@pytest.fixture
def file_of(stand):
    """The file of a blob."""
    return lambda digest: stand.data / FOLDER / "blobs" / "sha256" / digest.removeprefix("sha256:")


def rows(stand, statement):
    connection = sqlite3.connect(stand.data / "state.sqlite3")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("left", [f"uploads/{'0' * 8}", "uploads/copy-of-a-blob", f"blobs/sha256/{'0' * 64}"])
def test_a_file_goes_when_no_row_tells_of_it(stand, team_app, reopened, left):
    kept = team_app.push_blob(b"kept")
    path = stand.data / FOLDER / left
    path.write_bytes(b"left by a process that was killed")
    again = reopened(stand)
    assert not path.exists()
    assert again.send("HEAD", f"blobs/{kept}").status == 200


@pytest.mark.parametrize("damage", ["cut", "grown", "gone"])
def test_a_blob_can_be_pushed_again_when_its_file_is_not_as_it_was(stand, team_app, reopened, file_of, damage):
    digest = team_app.push_blob(b"hello")
    image = team_app.refer_to(digest)
    if damage == "gone":
        file_of(digest).unlink()
    else:
        file_of(digest).write_bytes(b"hell" if damage == "cut" else b"hello!")

    again = reopened(stand)
    assert again.send("HEAD", f"blobs/{digest}").status == 404
    assert not file_of(digest).exists()
    assert again.send("GET", f"manifests/{image}").status == 200
    again.push_blob(b"hello")
    assert again.send("GET", f"blobs/{digest}").data == b"hello"


def test_a_blob_stays_when_only_that_of_another_registry_is_damaged(stand, ecr, team_app, reopened, file_of):
    stand.client("eu-west-1").create_repository(repositoryName="team/app")
    digest = team_app.push_blob(b"hello")
    stand.distribution("eu-west-1").push_blob(b"hello")
    file_of(digest).unlink()
    assert reopened(stand).send("HEAD", f"blobs/{digest}").status == 404
    assert rows(stand, "SELECT count(*) FROM layer") == [(1,)]


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_an_upload_is_unknown_when_acknowledged_bytes_of_it_are_missing(stand, team_app, reopened, damage):
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    team_app.send("PATCH", location, body=b"hello")
    [path] = stand.data.glob("*/*/uploads/*")
    path.unlink() if damage == "gone" else path.write_bytes(b"hell")

    again = reopened(stand)
    for method in ("GET", "PATCH", "PUT"):
        query = f"?digest={again.digest_of(b'hello')}" if method == "PUT" else ""
        answer = again.send(method, location + query)
        assert (answer.status, b"BLOB_UPLOAD_UNKNOWN" in answer.data) == (404, True)
    assert list(stand.data.glob("*/*/uploads/*")) == []


def test_an_upload_goes_on_behind_its_last_acknowledged_part_when_more_was_written(stand, team_app, reopened):
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    team_app.send("PATCH", location, body=b"hello")
    [path] = stand.data.glob("*/*/uploads/*")
    path.write_bytes(b"hello, nobody acknowledged this")

    again = reopened(stand)
    assert again.send("GET", location).headers["Range"] == "0-4"
    digest = again.digest_of(b"hello world")
    assert again.send("PUT", f"{location}?digest={digest}", body=b" world").status == 201
    again.refer_to(digest)
    assert again.send("GET", f"blobs/{digest}").data == b"hello world"
