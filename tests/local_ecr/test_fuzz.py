"""Anything at all, sent to the data plane: an answer below 500, in form, and no file outside the folder."""

import http.client
import json
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DIGEST = "sha256:" + "0" * 64
PIECES = ["team", "app", "..", "", "_catalog", "_signed", "blobs", "uploads", "manifests", "tags", "list", "referrers",
          DIGEST, "latest", "00000000-0000-0000-0000-000000000000", "x.y"]  # fmt: skip
pieces = st.sampled_from(PIECES) | st.text(max_size=12)
paths = st.lists(pieces, max_size=6).map(lambda parts: "/v2/" + "/".join(quote(part, safe=":") for part in parts))
likely = st.sampled_from(["blobs/uploads/", f"blobs/{DIGEST}", "manifests/x", f"manifests/{DIGEST}", "tags/list",
                          f"referrers/{DIGEST}"]).map(lambda rest: f"/v2/fuzz/app/{rest}")  # fmt: skip
methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"])
queries = st.dictionaries(st.sampled_from(["n", "last", "digest", "mount", "from", "artifactType", "after"]), st.text())
targets = st.builds(
    lambda path, query: f"{path}?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items()),
    paths | likely,
    queries,
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
headers = st.dictionaries(
    st.sampled_from(["Range", "Content-Range", "Content-Type", "Accept", "Host", "If-None-Match"]), header_text
)
manifests = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(DIGEST),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "digest", "size"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
).map(lambda document: json.dumps(document).encode())
bodies = st.binary(max_size=60) | manifests


@pytest.fixture
def fuzzed(shared_stand):
    """The folder of a server, where it listens, and a token for it."""
    shared_stand.client().create_repository(repositoryName="fuzz/app")
    address = urlsplit(shared_stand.server.registry_url("111122223333", "us-east-1"))
    return shared_stand.data, address, shared_stand.token()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(method=methods, target=targets, extra=headers, body=bodies)
def test_no_request_makes_a_server_error(fuzzed, method, target, extra, body):
    folder, address, token = fuzzed
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request(method, target, body=body, headers={"Authorization": f"Basic {token}", **extra})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status < 500, content
    if answer.status >= 400 and answer.status not in {401, 416} and content:
        assert "errors" in json.loads(content) or b"Invalid HTTP" in content
    assert [path for path in folder.parent.iterdir() if path != folder] == []
