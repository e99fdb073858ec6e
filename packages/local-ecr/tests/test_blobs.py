"""Blobs over /v2/: in at once, in chunks, streamed, resumed; out with ranges; and only where they belong."""

import hashlib
import http.client
import socket
import struct
import time
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.data.streaming import UnsatisfiableRangeError, read_range

NOWHERE = "sha256:" + "0" * 64


def errors_of(answer):
    return [one["code"] for one in answer.json()["errors"]]


def until(ask, is_right, tries=100):
    """Ask again until the answer is right or the tries are over; the last answer."""
    for _ in range(tries):
        answer = ask()
        if is_right(answer):
            break
        time.sleep(0.02)
    return answer


def begin(team_app):
    return team_app.send("POST", "blobs/uploads/").headers["Location"]


def test_a_blob_arrives_when_it_is_posted_at_once(team_app):
    digest = team_app.digest_of(b"hello")
    answer = team_app.send("POST", f"blobs/uploads/?digest={digest}", body=b"hello")
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
    team_app.refer_to(digest)
    assert team_app.send("GET", answer.headers["Location"]).data == b"hello"


def test_a_blob_arrives_when_it_is_streamed_without_a_length(team_app):
    pieces = [bytes([n]) * 100_000 for n in range(30)]
    digest = team_app.digest_of(b"".join(pieces))
    location = begin(team_app)
    patched = team_app.send("PATCH", location, body=iter(pieces))
    assert patched.status == 201, "ECR answers 201 where the specification says 202"
    assert patched.headers["Range"] == "0-2999999"
    assert team_app.send("PUT", f"{patched.headers['Location']}?digest={digest}").status == 201
    team_app.refer_to(digest)
    assert team_app.send("GET", f"blobs/{digest}").data == b"".join(pieces)


def test_a_blob_arrives_under_its_sha512_digest_when_that_is_asked_for(team_app):
    digest = f"sha512:{hashlib.sha512(b'hello').hexdigest()}"
    assert team_app.send("POST", f"blobs/uploads/?digest={digest}", body=b"hello").status == 201
    team_app.refer_to(digest)
    assert team_app.send("GET", f"blobs/{digest}").data == b"hello"


def test_a_blob_is_refused_and_nothing_stays_when_its_digest_is_another(stand, team_app):
    answer = team_app.send("PUT", f"{begin(team_app)}?digest={NOWHERE}", body=b"hello")
    assert (answer.status, errors_of(answer)) == (400, ["BLOB_UPLOAD_INVALID"])
    assert team_app.send("HEAD", f"blobs/{NOWHERE}").status == 404
    assert not [path for path in stand.data.rglob("uploads/*") if path.is_file()]


@pytest.mark.parametrize(
    "digest", ["", "latest", "sha256:../../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 32]
)
def test_a_digest_is_refused_when_it_is_none_CVE_2024_3727(team_app, digest):
    answer = team_app.send("PUT", f"{begin(team_app)}?digest={digest}", body=b"hello")
    assert (answer.status, errors_of(answer)) == (400, ["DIGEST_INVALID"])


def test_an_upload_continues_where_it_stood_when_the_client_asks(team_app):
    location = begin(team_app)
    team_app.send("PATCH", location, body=b"x" * (5 << 20))
    asked = team_app.send("GET", location)
    assert (asked.status, asked.headers["Range"]) == (204, f"0-{(5 << 20) - 1}")

    wrong = team_app.send("PATCH", location, body=b"y", headers={"Content-Range": "3-3"})
    assert (wrong.status, wrong.headers["Range"]) == (416, f"0-{(5 << 20) - 1}")

    digest = team_app.digest_of(b"x" * (5 << 20) + b"y")
    assert team_app.send("PUT", f"{location}?digest={digest}", body=b"y").status == 201


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_part_is_refused_when_its_range_ends_before_it_begins(team_app, method):
    location = begin(team_app)
    team_app.send("PATCH", location, body=b"hello")
    query = f"?digest={team_app.digest_of(b'hello, you')}" if method == "PUT" else ""
    wrong = team_app.send(method, location + query, body=b", you", headers={"Content-Range": "5-3"})
    assert (wrong.status, wrong.headers["Range"], errors_of(wrong)) == (416, "0-4", ["BLOB_UPLOAD_INVALID"])
    assert team_app.send("GET", location).headers["Range"] == "0-4"


def half_a_request(team_app, method, location, length):
    """A connection on which the head of a request was sent, and 3,000,000 bytes of its body."""
    host = urlsplit(team_app.url)
    connection = socket.create_connection((host.hostname, host.port), timeout=5)
    lines = [f"{method} {location} HTTP/1.1", "Host: localhost", f"Authorization: Basic {team_app.token}"]
    connection.sendall("\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode() + b"z" * 3_000_000)
    return connection


def answer_on(connection):
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    try:
        return answer.status, answer.read()
    finally:
        answer.close()


def test_bytes_of_a_broken_request_do_not_count_when_the_client_comes_back(team_app):
    location = begin(team_app)
    with half_a_request(team_app, "PATCH", location, 9_999_999) as broken:
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leave with a reset
    answer = until(lambda: team_app.send("PATCH", location, body=b"hello"), lambda answer: answer.status != 409)
    assert (answer.status, answer.headers["Range"]) == (201, "0-4")
    assert team_app.send("PUT", f"{location}?digest={team_app.digest_of(b'hello')}").status == 201


def test_an_upload_is_refused_while_another_request_writes_it(stand, team_app):
    location = begin(team_app)
    with half_a_request(team_app, "PATCH", location, 3_000_006) as slow:
        [received] = stand.data.rglob("uploads/*-*")
        assert until(lambda: received.stat().st_size, bool) > 0
        assert team_app.send("PATCH", location, body=b"x").status == 409
        slow.sendall(b"abcdef")
        assert answer_on(slow)[0] == 201


def test_an_upload_that_is_being_written_does_not_exist_for_another_principal(stand, team_app):
    location = begin(team_app)
    stand.trust("444455556666", "ecr:UploadLayerPart")
    stranger = stand.token(account="444455556666")
    with half_a_request(team_app, "PATCH", location, 3_000_006) as slow:
        [received] = stand.data.rglob("uploads/*-*")
        assert until(lambda: received.stat().st_size, bool) > 0
        answer = team_app.send("PATCH", location, body=b"x", token=stranger)
        assert (answer.status, errors_of(answer)) == (404, ["BLOB_UPLOAD_UNKNOWN"])
        slow.sendall(b"abcdef")
        assert answer_on(slow)[0] == 201


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("rest", [b"abcdef", b"z" * 2_000_000])
def test_an_upload_ends_unknown_when_its_repository_is_deleted_meanwhile(stand, ecr, team_app, method, rest):
    location = f"{begin(team_app)}?digest={team_app.digest_of(b'z' * 3_000_000 + rest)}"
    with half_a_request(team_app, method, location, 3_000_000 + len(rest)) as slow:
        [received] = stand.data.rglob("uploads/*-*")
        assert until(lambda: received.stat().st_size, bool) > 0
        ecr.delete_repository(repositoryName="team/app")
        ecr.create_repository(repositoryName="team/app")
        slow.sendall(rest)
        status, content = answer_on(slow)
    assert status == 404
    assert b"BLOB_UPLOAD_UNKNOWN" in content
    assert received.name not in stand.ecr.store.upload_files


def test_an_upload_is_gone_when_it_was_cancelled(team_app):
    location = begin(team_app)
    assert team_app.send("DELETE", location).status == 204
    answer = team_app.send("PATCH", location, body=b"x")
    assert (answer.status, errors_of(answer)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_a_blob_is_not_there_in_a_repository_that_was_not_given_it_CVE_2024_39897(stand, ecr, team_app):
    digest = team_app.push_blob(b"secret")
    ecr.create_repository(repositoryName="team/other")
    other = stand.distribution(repository_name="team/other")
    assert errors_of(other.send("GET", f"blobs/{digest}")) == ["BLOB_UNKNOWN"]
    assert other.send("HEAD", f"blobs/{digest}").status == 404


def test_a_blob_is_gone_when_its_repository_was_deleted_and_made_again_CVE_2026_35172(ecr, team_app):
    digest = team_app.push_blob(b"secret")
    ecr.delete_repository(repositoryName="team/app", force=True)
    ecr.create_repository(repositoryName="team/app")
    assert team_app.send("GET", f"blobs/{digest}").status == 404


def test_a_blob_is_served_from_its_own_region_only(stand, team_app):
    digest = team_app.push_blob(b"hello")
    stand.client("eu-west-1").create_repository(repositoryName="team/app")
    assert stand.distribution("eu-west-1").send("HEAD", f"blobs/{digest}").status == 404


def test_a_blob_is_where_the_folder_says_and_served_as_it_is_there(stand, team_app):
    digest = team_app.push_blob(b"hello")
    team_app.refer_to(digest)
    path = stand.data / "111122223333" / "us-east-1" / "blobs" / "sha256" / digest.removeprefix("sha256:")
    assert path.read_bytes() == b"hello"
    path.write_bytes(b"jello")
    assert team_app.send("GET", f"blobs/{digest}").data == b"jello"


def test_a_blob_can_be_looked_at_and_not_read_when_no_image_is_made_of_it(ecr, team_app):
    digest = team_app.push_blob(b"alone")
    assert team_app.send("HEAD", f"blobs/{digest}").status == 200
    answer = team_app.send("GET", f"blobs/{digest}")
    assert (answer.status, errors_of(answer)) == (404, ["BLOB_UNKNOWN"])

    team_app.refer_to(digest)
    assert team_app.send("GET", f"blobs/{digest}").data == b"alone"


def test_a_blob_is_read_through_neither_face_when_the_image_that_was_made_of_it_is_deleted(ecr, team_app):
    digest = team_app.push_blob(b"hello")
    image_id = {"imageDigest": team_app.refer_to(digest)}
    assert team_app.send("GET", f"blobs/{digest}").data == b"hello"
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[image_id])
    assert team_app.send("GET", f"blobs/{digest}").status == 404
    with pytest.raises(ClientError, match="LayerInaccessibleException"):
        ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest)


def test_a_get_is_redirected_to_a_url_that_needs_no_authorization(team_app):
    digest = team_app.push_blob(b"hello")
    team_app.refer_to(digest)
    answer = team_app.send("GET", f"blobs/{digest}", redirect=False)
    assert answer.status == 307
    assert team_app.http.request("GET", answer.headers["Location"]).data == b"hello"


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-0", 206, b"h", "bytes 0-0/5"),
        ("bytes=2-", 206, b"llo", "bytes 2-4/5"),
        ("bytes=-2", 206, b"lo", "bytes 3-4/5"),
        ("bytes=1-99", 206, b"ello", "bytes 1-4/5"),
        ("bytes=-99", 206, b"hello", "bytes 0-4/5"),
        ("bytes=5-", 416, b"", "bytes */5"),
        ("bytes=-0", 416, b"", "bytes */5"),
        ("bytes=0-1,3-4", 200, b"hello", None),
        ("bytes=3-1", 416, b"", "bytes */5"),
        ("items=0-1", 200, b"hello", None),
        ("bytes=" + "9" * 400 + "-", 200, b"hello", None),
    ],
)
def test_a_range_is_served_when_it_is_one_that_can_be(team_app, header, status, body, content_range):
    digest = team_app.push_blob(b"hello")
    team_app.refer_to(digest)
    answer = team_app.send("GET", f"blobs/{digest}", headers={"Range": header})
    assert (answer.status, answer.data, answer.headers.get("Content-Range")) == (status, body, content_range)


@given(data=st.binary(max_size=50), first=st.none() | st.integers(0, 60), last=st.none() | st.integers(0, 60))
def test_a_range_means_what_slicing_means(data, first, last):
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None:
        expected = data[-last:] if last else b""
    else:
        expected = data[first:] if last is None else data[first : last + 1]
    try:
        found = read_range(header, len(data))
    except UnsatisfiableRangeError:
        assert expected == b""
    else:
        sent = data if found is None else data[found[0] : found[1] + 1]
        assert sent == (data if first is None and last is None else expected)


def test_an_error_on_head_has_no_body_and_the_connection_goes_on(team_app):
    host = urlsplit(team_app.url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=5)
    headers = {"Authorization": f"Basic {team_app.token}"}
    for path, status in ((f"blobs/{NOWHERE}", 404), ("manifests/none", 404), (f"blobs/{NOWHERE}", 404)):
        connection.request("HEAD", f"/v2/team/app/{path}", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
    connection.close()


def test_deleting_a_blob_is_unsupported_GHSA_qg67_7m6v_qg25(team_app):
    digest = team_app.push_blob(b"hello")
    answer = team_app.send("DELETE", f"blobs/{digest}")
    assert (answer.status, errors_of(answer)) == (405, ["UNSUPPORTED"])
    assert team_app.send("HEAD", f"blobs/{digest}").status == 200
