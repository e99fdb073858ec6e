"""Errors, warnings, and what every answer has in common."""

import http.client
import json
import re
import uuid
from urllib.parse import urlsplit

import pytest

NOWHERE = "sha256:" + "0" * 64
CODES = {
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED",
    "UNSUPPORTED", "TOOMANYREQUESTS",
}  # fmt: skip

MISSING_PARTS = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": NOWHERE, "size": 2},
        "layers": [],
    }
).encode()
REFUSALS = {
    "blob-unknown": ("GET", f"blobs/{NOWHERE}", b"", "BLOB_UNKNOWN"),
    "blob-to-delete-unknown": ("DELETE", f"blobs/{NOWHERE}", b"", "BLOB_UNKNOWN"),
    "manifest-unknown": ("GET", "manifests/none", b"", "MANIFEST_UNKNOWN"),
    "manifest-by-digest-unknown": ("GET", f"manifests/{NOWHERE}", b"", "MANIFEST_UNKNOWN"),
    "manifest-invalid": ("PUT", "manifests/new", b"{", "MANIFEST_INVALID"),
    "upload-unknown": ("PATCH", f"blobs/uploads/{uuid.UUID(int=7)}", b"x", "BLOB_UPLOAD_UNKNOWN"),
    "part-unknown": ("PUT", "manifests/new", MISSING_PARTS, "MANIFEST_BLOB_UNKNOWN"),
    "method-unknown": ("POST", "tags/list", b"", "UNSUPPORTED"),
}


@pytest.fixture(params=REFUSALS)
def refusal(request, repository):
    """An answer that is a refusal, and the code that fits it."""
    repository.push_blob(b"so that there is a repository")
    method, path, body, code = REFUSALS[request.param]
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"} if method == "PUT" else {}
    answer = repository.send(method, path, body=body, headers=headers)
    assert 400 <= answer.status < 500, f"answered {answer.status}"
    return answer, code


def errors_of(answer):
    """The errors of an answer in JSON; none of another one, which may have any form."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return []
    return answer.json()["errors"]


@pytest.mark.spec("MUST: If the response body is in JSON format, it MUST have the following format")
def test_an_error_has_the_form_of_the_specification(refusal):
    answer, _ = refusal
    for error in errors_of(answer):
        assert set(error) <= {"code", "message", "detail"}, f"has {sorted(error)}"
        assert isinstance(error.get("message", ""), str)


@pytest.mark.spec(
    "MUST: The `code` field MUST be a unique identifier, containing only uppercase alphabetic characters and"
    " underscores."
)
def test_an_error_code_has_only_upper_case_letters_and_underscores(refusal):
    answer, _ = refusal
    assert all(re.fullmatch("[A-Z_]+", error["code"]) for error in errors_of(answer))


@pytest.mark.spec("MUST: The `code` field MUST be one of the following")
def test_an_error_code_is_one_of_the_specification(refusal):
    answer, _ = refusal
    assert {error["code"] for error in errors_of(answer)} <= CODES, f"has {answer.data!r}"


@pytest.mark.spec("The same table: what each code means")
def test_an_error_has_the_code_that_means_it(refusal):
    answer, code = refusal
    codes = [error["code"] for error in errors_of(answer)]
    assert not codes or codes[0] == code, f"has {codes}"


@pytest.mark.spec(
    "MUST: If included, `Warning` headers MUST specify a `warn-code` of `299` and a `warn-agent` of `-`, and MUST"
    " NOT specify a `warn-date` value."
)
def test_a_warning_has_code_299_and_no_date(repository):
    repository.push(repository.image(), "warned")
    for answer in (repository.get("warned"), repository.get("none"), repository.send("GET", "tags/list")):
        for warning in answer.headers.getlist("Warning"):
            assert re.fullmatch(r'299 - "(?:[^"\\]|\\.)*"', warning), warning


@pytest.mark.spec("MUST NOT: A registry MUST NOT send more than 4096 bytes of warning data from all headers combined.")
def test_warnings_are_no_longer_than_4096_bytes(repository):
    repository.push(repository.image(), "warned")
    for answer in (repository.get("warned"), repository.get("none"), repository.send("GET", "tags/list")):
        assert sum(len(warning) for warning in answer.headers.getlist("Warning")) <= 4096


@pytest.mark.spec("RFC 9110, 9.3.2: The server MUST NOT send content in the response to HEAD")
def test_an_answer_to_head_has_no_body_and_the_connection_goes_on(repository):
    digest = repository.push_blob(b"hello")
    host = urlsplit(repository.url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=10)
    for path, status in (
        (f"blobs/{digest}", 200),
        (f"blobs/{NOWHERE}", 404),
        ("manifests/none", 404),
        (f"manifests/{NOWHERE}", 404),
        (f"blobs/{digest}", 200),
    ):
        connection.request("HEAD", f"/v2/{repository.name}/{path}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
    connection.close()


def test_every_difference_is_of_a_test_that_there_is(request):
    folder = request.path.parent
    texts = [path.read_text() for path in folder.glob("test_*.py")]
    differences = json.loads((folder / "differences.json").read_text())
    for name, difference in differences.items():
        assert any(f"def {name.partition('[')[0]}(" in text for text in texts), name
        assert set(difference) == {"seen", "why"} and all(difference.values()), name
