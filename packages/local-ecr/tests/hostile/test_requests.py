"""Requests that are not quite HTTP: lengths that lie, two bodies in one, many headers, ranges of every kind."""

import json
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.victim import NOWHERE, REPOSITORY
from tests.hostile.wire import (
    NOT_HTTP,
    SIGNATURE,
    TARGET,
    request_bytes,
    require_api_form,
    require_oci_form,
)

UPLOADS = f"/v2/{REPOSITORY}/blobs/uploads/"
PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

NO_REQUESTS = {
    "nothing of HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
    "line feeds alone": b"GET /v2/ HTTP/1.1\nHost: localhost\n\n",
    "a folded header": b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "a blank before the colon": b"GET /v2/ HTTP/1.1\r\nHost : x\r\n\r\n",
    "NUL in a header": b"GET /v2/ HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "a header without a name": b"GET /v2/ HTTP/1.1\r\n: x\r\n\r\n",
    "a path that is not ASCII": b"GET /v2/\xc3\xa9/tags/list HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no path": b"GET ?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an unknown method": b"BREW /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method in small letters": b"get /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a length below zero": b"PUT /v2/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a length with a sign": b"PUT /v2/ HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
    "a length in hex": b"PUT /v2/ HTTP/1.1\r\nContent-Length: 0x1\r\n\r\nx",
    "a length beyond 64 bits": b"PUT /v2/ HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "two lengths": b"PUT /v2/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    "lengths in one header": b"PUT /v2/ HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx",
    "a length and chunks": b"PUT /v2/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"PUT /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks, then gzip": b"PUT /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"PUT /v2/ HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a tab before chunked": b"PUT /v2/ HTTP/1.1\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("flaw", NO_REQUESTS)
def test_what_could_be_read_as_two_requests_is_none(victim, flaw):
    """A proxy and a server that disagree about where a request ends let one client speak for another."""
    answer = victim.v2.exchange(NO_REQUESTS[flaw])
    assert (answer.status, answer.body) == (400, NOT_HTTP)


SMUGGLED = b"DELETE /v2/_catalog HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 0\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: identity, chunked\r\nContent-Length: 3",
     b"Content-Length: 44\r\nContent-Length: 0"],
    ids=["both", "both, the other way", "two lengths"],
)  # fmt: skip
def test_nothing_behind_a_doubtful_request_is_read_as_another(victim, head):
    before = victim.stand.ecr.requests.mark()
    victim.v2.exchange(b"POST /v2/ HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n" + b"0\r\n\r\n" + SMUGGLED)
    assert victim.stand.ecr.requests.since(before) == []


def test_a_second_request_on_the_wire_is_another_when_the_first_one_is_whole(victim):
    with socket.create_connection(("127.0.0.1", victim.v2.port), timeout=5) as connection:
        connection.sendall(PING + PING)
        read = b""
        while read.count(b"HTTP/1.1 401") < 2:
            read += connection.recv(65536)


@pytest.mark.parametrize("target", [UPLOADS, f"{UPLOADS}?digest={NOWHERE}", f"/v2/{REPOSITORY}/manifests/cut"])
def test_a_body_that_is_shorter_than_its_length_is_nothing(victim, target):
    method = "PUT" if "manifests" in target else "POST"
    for length in (1, 100, 10**9, 2**63 - 1):
        head = [("Host", "localhost"), ("Authorization", f"Basic {victim.v2.token}"), ("Content-Length", str(length))]
        with socket.create_connection(("127.0.0.1", victim.v2.port), timeout=5) as connection:
            connection.sendall(request_bytes(method, target, head, b""))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)
    assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/cut").status == 404
    assert victim.v2.send("HEAD", f"/v2/{REPOSITORY}/blobs/{NOWHERE}").status == 404


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n", b"-1\r\n", b"5\r\nab", b"1\r\nab\r\n", b"ffffffffffffffffff\r\n", b"1;x\r\n"]
)
def test_chunks_that_are_none_end_the_request(victim, chunks):
    head = [("Host", "localhost"), ("Authorization", f"Basic {victim.v2.token}"), ("Transfer-Encoding", "chunked")]
    with socket.create_connection(("127.0.0.1", victim.v2.port), timeout=5) as connection:
        connection.sendall(request_bytes("PUT", f"/v2/{REPOSITORY}/manifests/cut", head, chunks))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536)[:12] in {b"HTTP/1.1 400", b""}
    assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/cut").status == 404


def test_a_call_whose_body_is_cut_is_not_made(victim):
    head = [("Host", "localhost"), ("Authorization", SIGNATURE), ("X-Amz-Target", TARGET + "CreateRepository")]
    body = json.dumps({"repositoryName": "cut/off"}).encode()
    with socket.create_connection(("127.0.0.1", victim.api.port), timeout=5) as connection:
        length = ("Content-Length", str(len(body) + 1))
        connection.sendall(request_bytes("POST", "/", [*head, length], body))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)
    assert victim.api.call("DescribeImages", {"repositoryName": "cut/off"}).code == "RepositoryNotFoundException"


@pytest.mark.parametrize("expected", ["100-continue", "100-Continue", "200-ok", "", "100-continue, x"])
@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_client_that_waits_for_leave_gets_an_answer(victim, expected, token):
    """It need not send a body that is refused anyway: the answer comes either way."""
    headers = [("Expect", expected), ("Content-Type", "application/json")]
    answer = victim.v2.send("PUT", f"/v2/{REPOSITORY}/manifests/x", body=b"{}", headers=headers, token=token)
    assert answer.status == (405 if token is None else 401)


def test_a_request_with_many_or_long_headers_is_answered(victim):
    many = [(f"X-{number}", "y" * 100) for number in range(100)]
    assert victim.v2.send("GET", "/v2/", headers=many).status == 200
    assert victim.v2.send("GET", "/v2/", token="A" * 60_000).status == 401
    assert victim.v2.send("GET", "/v2/", headers=[("Accept", "a/b," * 12_000)]).status == 200
    assert victim.api.call("DescribeRepositories", {}, ("Authorization", SIGNATURE + "x" * 60_000)).status == 200
    repeated = "AWS4-HMAC-SHA256 " + "Credential=" * 5_400
    assert (
        victim.api.call("DescribeRepositories", {}, ("Authorization", repeated)).code == "IncompleteSignatureException"
    )


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.2"])
def test_no_other_protocol_is_taken_up(victim, protocol):
    headers = [("Upgrade", protocol), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    assert victim.v2.send("GET", "/v2/", headers=headers).status == 200


@pytest.mark.parametrize("target", ["*", "//example.com/v2/", "/v2/_signed/../../etc/passwd"])
def test_a_target_of_another_form_is_no_way_around(victim, target):
    answer = victim.api.exchange(request_bytes("OPTIONS", target, [("Host", "localhost")]))
    assert answer.status in {400, 401, 405}


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_nobody_is_asked_anything_for_a_client(victim, method):
    target = "169.254.169.254:80" if method == "CONNECT" else "http://169.254.169.254/latest/meta-data"
    answer = victim.v2.exchange(request_bytes(method, target, [("Host", "169.254.169.254")]), method)
    assert answer.status == 400
    assert answer.is_of_connection or answer.code == "UnknownOperationException", "it is we who say so"


numbers = st.sampled_from(["", "0", "1", "2", "5", "-1", "9" * 17, "9" * 40, "٣", "1.5", "0x2", "+1"])
ranges = st.one_of(
    st.builds("{}={}-{}".format, st.sampled_from(["bytes", "Bytes", "items", "", "bytes "]), numbers, numbers),
    st.lists(st.builds("{}-{}".format, numbers, numbers), max_size=200).map(lambda parts: "bytes=" + ",".join(parts)),
    st.text(max_size=30).filter(lambda text: text.isprintable()),
)


DATA = b"abcdef"


@pytest.fixture(scope="module")
def where(victim):
    """The signed URL of a blob that is DATA."""
    digest = victim.push_blob(DATA)
    victim.push({**victim.image("ranges"), "layers": [{"mediaType": "x/y", "digest": digest, "size": len(DATA)}]})
    return victim.v2.send("GET", f"/v2/{REPOSITORY}/blobs/{digest}").headers["Location"]


def require_part_or_whole(victim, where, method, header):
    url = urlsplit(where)
    storage = victim.v2.with_host(url.netloc)
    answer = storage.send(method, f"{url.path}?{url.query}", token="", headers=[("Range", header)])
    assert answer.status in {200, 206, 416}
    if answer.status == 206:
        span, _, whole = answer.headers["Content-Range"].removeprefix("bytes ").partition("/")
        first, last = map(int, span.split("-"))
        assert whole == "6"
        assert method == "HEAD" or answer.body == DATA[first : last + 1] != b""
    if answer.status == 200:
        assert method == "HEAD" or answer.body == DATA


@settings(max_examples=20)
@given(method=st.sampled_from(["GET", "HEAD"]), header=ranges)
def test_a_range_is_a_part_the_whole_or_not_satisfiable_CVE_2025_62727(victim, where, method, header):
    """CVE-2025-62727: starlette took time without end for a Range of many parts."""
    require_part_or_whole(victim, where, method, header)


@pytest.mark.slow
@settings(max_examples=1000)
@given(method=st.sampled_from(["GET", "HEAD"]), header=ranges)
def test_a_range_is_a_part_the_whole_or_not_satisfiable_again_and_again_CVE_2025_62727(victim, where, method, header):
    """CVE-2025-62727, with more of them."""
    require_part_or_whole(victim, where, method, header)


def test_a_range_of_thousands_of_parts_costs_no_more_than_one_CVE_2025_62727(victim, where):
    """CVE-2025-62727: the header may be as long as a server takes it."""
    for header in (
        "bytes=" + "0-0," * 15_000,
        "bytes=" + "0-" * 30_000,
        "bytes=" + " " * 60_000,
        "bytes=0-" + "9" * 60_000,
    ):
        require_part_or_whole(victim, where, "GET", header)


heads = st.lists(
    st.tuples(
        st.sampled_from(["Content-Range", "Content-Type", "Accept", "If-None-Match", "Range", "Host", "Expect", "X"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40).map(str.encode),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=25)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "PATCH"]),
    rest=st.sampled_from(["blobs/uploads/", "manifests/x", f"blobs/{NOWHERE}", "tags/list"]),
    headers=heads,
)
def test_no_header_makes_a_server_error(victim, method, rest, headers):
    require_oci_form(victim.v2.send(method, f"/v2/{REPOSITORY}/{rest}", headers=headers, body=b"{}"))


targets = st.sampled_from([TARGET + "ListImages", TARGET + "PutImage", TARGET, "x", ""]).map(str.encode) | st.binary(
    max_size=20
)
authorizations = st.sampled_from([SIGNATURE, "AWS4-HMAC-SHA256 Credential=", "Basic x", ""]).map(str.encode)
CALL_HEADERS = ["X-Amz-Target", "Authorization", "Content-Type", "X-Amz-Security-Token", "Smithy-Protocol", "Expect"]


def printable(data):
    """Without what ends a header."""
    return data.translate(None, b"\r\n\0")


def test_a_refused_head_of_the_api_has_no_body(victim):
    answer = victim.api.exchange(request_bytes("HEAD", "/", [("Host", "localhost")]), "HEAD")
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "UnknownOperationException")


def require_api_answer(victim, method, headers, body):
    whole = [
        ("Host", "localhost"),
        ("Content-Length", str(len(body))),
        *((name, printable(value)) for name, value in headers),
    ]
    require_api_form(victim.api.exchange(request_bytes(method, "/", whole, body), method))


calls = {
    "method": st.sampled_from(["POST", "GET", "PUT", "DELETE", "OPTIONS"]),
    "headers": st.lists(
        st.tuples(st.sampled_from(CALL_HEADERS), targets | authorizations | st.binary(max_size=30)), max_size=4
    ),
    "body": st.binary(max_size=30) | st.sampled_from([b"{}", b'{"repositoryName":"fuzz/app"}', b"[" * 5000]),
}


@settings(max_examples=25)
@given(**calls)
def test_no_call_makes_a_server_error(victim, method, headers, body):
    require_api_answer(victim, method, headers, body)


@pytest.mark.slow
@settings(max_examples=1500)
@given(**calls)
def test_no_call_makes_a_server_error_again_and_again(victim, method, headers, body):
    require_api_answer(victim, method, headers, body)
