"""Push blobs: at once, in chunks, as a stream, resumed, cancelled, mounted."""

import re
import socket
from urllib.parse import urlsplit

import pytest

NOWHERE = "sha256:" + "0" * 64
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DATA = bytes(range(256)) * 3000
CHUNKS = [DATA[:300_000], DATA[300_000:600_000], DATA[600_000:]]


def pushed(repository, expect, answer, data):
    """What the location of a blob that is said to be there serves."""
    location = expect(answer, 201).headers["Location"]
    assert expect(repository.send("GET", location), 200).data == data


def send_chunks(repository, expect, chunks=CHUNKS):
    """Begin an upload and send these chunks; where it goes on, and at which byte."""
    location, first = repository.begin(), 0
    for chunk in chunks:
        answer = expect(repository.patch(location, chunk, first), 202)
        location, first = answer.headers["Location"], first + len(chunk)
    return location, first


@pytest.mark.spec(
    "MUST: Upon success, the response MUST have a code of `202 Accepted`, and MUST include the following header:"
    " Location"
)
def test_an_upload_begins_with_a_location(repository, expect):
    begun = expect(repository.send("POST", "blobs/uploads/"), 202)
    assert f"/v2/{repository.name}/blobs/uploads/" in begun.headers["Location"]


@pytest.mark.spec(
    "MUST: The `<location>` MUST contain a UUID representing a unique session ID for the upload to follow."
)
def test_the_location_of_an_upload_has_a_uuid_of_its_own(repository):
    first, second = (UUID.search(repository.begin()) for _ in range(2))
    assert first and second
    assert first[0] != second[0]


@pytest.mark.spec(
    "MUST: Upon successful completion of the request, the response MUST have code `201 Created` and MUST have the"
    " following header: Location"
)
@pytest.mark.parametrize("data", [b"hello", b"", DATA], ids=["text", "empty", "768-kB"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_pushed_by_post_and_put(repository, expect, digest_of, data, algorithm):
    answer = repository.send("PUT", repository.begin(), body=data, digest=digest_of(data, algorithm))
    pushed(repository, expect, answer, data)


@pytest.mark.spec(
    "MUST: Successful completion of the request MUST return a `201 Created` and MUST include the following"
    " header: Location"
)
@pytest.mark.parametrize("data", [b"hello", b""], ids=["text", "empty"])
def test_a_blob_is_pushed_by_a_single_post(repository, expect, digest_of, data):
    pushed(repository, expect, repository.send("POST", "blobs/uploads/", body=data, digest=digest_of(data)), data)


@pytest.mark.spec("MUST: The `Content-Length` header MUST match the blob's actual content length.")
def test_no_blob_is_there_when_less_came_than_was_promised(repository, expect, digest_of):
    location = urlsplit(repository.begin())
    host = urlsplit(repository.url)
    digest = digest_of(b"hello")
    head = f"PUT {location.path}?{location.query}&digest={digest} HTTP/1.1\r\nHost: {host.netloc}\r\n"
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: 6\r\n\r\n".encode() + b"hello")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        while connection.recv(65536):  # until the registry has given it up
            pass
    expect(repository.send("HEAD", f"blobs/{digest}"), 404)


def bad_post(repository):
    return repository.send("POST", "blobs/uploads/", body=b"hello", digest=NOWHERE)


def bad_put(repository):
    return repository.send("PUT", repository.begin(), body=b"hello", digest=NOWHERE)


def bad_chunk(repository):
    location = repository.patch(repository.begin(), b"hello", 0).headers["Location"]
    return repository.send("PUT", location, digest=NOWHERE)


@pytest.mark.spec("MUST: Likewise, the `<digest>` MUST match the blob's digest.")
@pytest.mark.parametrize("way", [bad_post, bad_put, bad_chunk], ids=["post", "post-put", "chunk"])
def test_a_blob_is_refused_when_it_has_another_digest(repository, expect, way):
    answer = expect(way(repository), 400)
    assert [error["code"] for error in answer.json()["errors"]] == ["DIGEST_INVALID"]
    expect(repository.send("HEAD", f"blobs/{NOWHERE}"), 404)


@pytest.mark.spec("MUST: The `<range>` refers to the byte range of the chunk, and MUST be inclusive on both ends.")
def test_the_range_of_a_chunk_includes_both_ends(repository, expect, digest_of):
    location = repository.begin()
    answer = expect(repository.patch(location, b"h", 0), 202)  # 0-0 is one byte
    answer = expect(repository.patch(answer.headers["Location"], b"ello", 1), 202)
    assert answer.headers["Range"] == "0-4"
    done = repository.send("PUT", answer.headers["Location"], digest=digest_of(b"hello"))
    pushed(repository, expect, done, b"hello")


@pytest.mark.spec("MUST: The first chunk's range MUST begin with `0`.")
def test_a_first_chunk_is_refused_when_it_does_not_begin_with_0(repository, expect):
    expect(repository.patch(repository.begin(), b"hello", 1), 416)


@pytest.mark.spec("MUST: It MUST match the following regular expression: ^[0-9]+-[0-9]+$")
@pytest.mark.parametrize("given", ["0", "0-", "-4", "a-b", "0-4-8", "4-0"])
def test_a_chunk_is_refused_when_its_range_is_none(repository, expect, given):
    answer = repository.send("PATCH", repository.begin(), body=b"hello", headers={"Content-Range": given})
    expect(answer, 400, 416)


@pytest.mark.spec(
    "MUST: Each successful chunk upload MUST have a `202 Accepted` response code, and MUST have the following"
    " headers: Location, Range: 0-<end-of-range>"
)
def test_each_chunk_is_acknowledged_with_a_location_and_what_there_is(repository, expect):
    location, received = repository.begin(), 0
    for chunk in CHUNKS:
        answer = expect(repository.patch(location, chunk, received), 202)
        location, received = answer.headers["Location"], received + len(chunk)
        assert answer.headers["Range"] == f"0-{received - 1}"


@pytest.mark.spec(
    "MUST: Chunks MUST be uploaded in order, with the first byte of a chunk being the last chunk's"
    " `<end-of-range>` plus one."
)
def test_chunks_that_follow_each_other_make_a_blob(repository, expect, digest_of):
    location, _ = send_chunks(repository, expect)
    pushed(repository, expect, repository.send("PUT", location, digest=digest_of(DATA)), DATA)


@pytest.mark.spec(
    "MUST: If a chunk is uploaded out of order, the registry MUST respond with a `416 Requested Range Not"
    " Satisfiable` code."
)
@pytest.mark.parametrize("first", [0, 299_999, 300_001, 600_000], ids=["again", "overlapping", "skipping", "next-one"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_chunk_is_refused_when_it_is_out_of_order(repository, expect, digest_of, first, method):
    location, received = send_chunks(repository, expect, CHUNKS[:1])
    headers = {"Content-Range": f"{first}-{first + 299_999}"}
    query = {"digest": digest_of(DATA)} if method == "PUT" else {}
    expect(repository.send(method, location, body=CHUNKS[1], headers=headers, **query), 416)
    asked = expect(repository.send("GET", location), 204)
    assert asked.headers["Range"] == f"0-{received - 1}"


@pytest.mark.spec(
    "MUST: Regardless of how the final chunk is uploaded, the session MUST be closed with a `PUT` request."
)
def test_chunks_are_no_blob_before_the_session_is_closed(repository, expect, digest_of):
    location, _ = send_chunks(repository, expect)
    expect(repository.send("HEAD", f"blobs/{digest_of(DATA)}"), 404)
    pushed(repository, expect, repository.send("PUT", location, digest=digest_of(DATA)), DATA)


@pytest.mark.spec(
    "MUST: The closing `PUT` request MUST include the `<digest>` of the whole blob (not the final chunk) as a"
    " query parameter."
)
def test_a_session_is_not_closed_without_the_digest_of_the_whole_blob(repository, expect, digest_of):
    location, _ = send_chunks(repository, expect)
    expect(repository.send("PUT", location), 400)
    location, _ = send_chunks(repository, expect)
    expect(repository.send("PUT", location, digest=digest_of(CHUNKS[-1])), 400)


@pytest.mark.spec(
    "MUST: The response to a successful closing of the session MUST be `201 Created`, and MUST contain the"
    " following header: Location"
)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_session_is_closed_with_the_final_chunk(repository, expect, digest_of, algorithm):
    location, first = send_chunks(repository, expect, CHUNKS[:-1])
    headers = {"Content-Range": f"{first}-{len(DATA) - 1}"}
    digest = digest_of(DATA, algorithm)
    answer = repository.send("PUT", location, body=CHUNKS[-1], headers=headers, digest=digest)
    pushed(repository, expect, answer, DATA)


@pytest.mark.spec(
    "MUST: The response to an active upload `<location>` MUST be a `204 No Content` response code, and MUST have"
    " the following headers: Location, Range: 0-<end-of-range>"
)
def test_an_upload_is_resumed_where_its_status_says(repository, expect, digest_of):
    location, _ = send_chunks(repository, expect, CHUNKS[:1])
    asked = expect(repository.send("GET", location), 204)
    assert asked.headers["Range"] == f"0-{len(CHUNKS[0]) - 1}"
    rest = DATA[int(asked.headers["Range"].removeprefix("0-")) + 1 :]
    answer = expect(repository.patch(asked.headers["Location"], rest, len(CHUNKS[0])), 202)
    done = repository.send("PUT", answer.headers["Location"], digest=digest_of(DATA))
    pushed(repository, expect, done, DATA)


@pytest.mark.spec(
    "Docker Registry HTTP API V2, from which the specification comes: a chunk without a length is a stream"
)
def test_a_blob_is_pushed_as_a_stream(repository, expect, digest_of):
    answer = expect(repository.send("PATCH", repository.begin(), body=iter(CHUNKS)), 202)
    assert answer.headers["Range"] == f"0-{len(DATA) - 1}"
    done = repository.send("PUT", answer.headers["Location"], digest=digest_of(DATA))
    pushed(repository, expect, done, DATA)


@pytest.mark.spec(
    "SHOULD: During a blob upload, the session may be canceled with a `DELETE` request. If successful, the"
    " response SHOULD be a `204 No Content` response code."
)
def test_an_upload_is_gone_when_it_was_cancelled(repository, expect):
    location, _ = send_chunks(repository, expect, CHUNKS[:1])
    expect(repository.send("DELETE", location), 204)
    for method in ("GET", "PATCH", "DELETE"):
        answer = expect(repository.send(method, location), 404)
        assert answer.json()["errors"][0]["code"] == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.spec(
    "MUST: The response to a successful mount MUST be `201 Created`, and MUST contain the following header: Location"
)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_mounted_from_another_repository(repository, expect, algorithm):
    source = repository.at(f"{repository.name}/source")
    digest = source.push_blob(b"shared", algorithm)
    answer = repository.send("POST", "blobs/uploads/", **{"mount": digest, "from": source.name})
    pushed(repository, expect, answer, b"shared")
    assert answer.headers["Docker-Content-Digest"] == digest


@pytest.mark.spec(
    "MAY: The registry MAY treat the `from` parameter as optional, and it MAY cross-mount the blob if it can be found."
)
def test_a_blob_is_mounted_from_wherever_it_is(repository, expect):
    digest = repository.at(f"{repository.name}/source").push_blob(repository.name.encode())
    answer = repository.send("POST", "blobs/uploads/", mount=digest)
    pushed(repository, expect, answer, repository.name.encode())


@pytest.mark.spec(
    "SHOULD: If a registry does not support cross-repository mounting or is unable to mount the requested blob,"
    " it SHOULD return a `202`."
)
@pytest.mark.parametrize(
    "query", [{"from": "no/such"}, {"from": "NO/NAME"}, {}], ids=["unknown", "no-name", "anywhere"]
)
def test_an_upload_begins_when_there_is_nothing_to_mount(repository, expect, digest_of, query):
    digest = digest_of(b"nowhere but here")
    answer = expect(repository.send("POST", "blobs/uploads/", mount=digest, **query), 202)
    done = repository.send("PUT", answer.headers["Location"], body=b"nowhere but here", digest=digest)
    pushed(repository, expect, done, b"nowhere but here")
    expect(repository.send("DELETE", f"blobs/{digest}"), 202)
