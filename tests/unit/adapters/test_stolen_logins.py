"""A registry that wants the login, or what it protects, to go elsewhere. The ids are of advisories."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from urllib3 import HTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.session import redirect_target
from ecr_steward.adapters.transport import Origin
from ecr_steward.domain.images import OCI_INDEX, Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import (
    AccessDeniedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
)

type Reply = Callable[..., Any]

SECRET = "Basic c2VjcmV0"
BLOB = b"all of it" * 1000
BLOB_DESCRIPTOR = Descriptor("application/octet-stream", digest_of(BLOB), len(BLOB))
BLOB_PATH = f"/v2/team-a/api/blobs/{BLOB_DESCRIPTOR.digest}"
UPLOADS = "/v2/team-a/api/blobs/uploads/"
UPLOAD = UPLOADS + "1"
IMAGE_DIGEST = Digest(f"sha256:{'a' * 64}")
IMAGE_PATH = f"/v2/team-a/api/manifests/{IMAGE_DIGEST}"
REFERRERS_PATH = f"/v2/team-a/api/referrers/{IMAGE_DIGEST}"
EMPTY_INDEX = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()


def read(client: DistributionClient, blob: Descriptor = BLOB_DESCRIPTOR) -> bytes:
    with client.open_blob("team-a/api", blob) as chunks:
        return b"".join(chunks)


def test_no_password_leaves_when_the_challenge_names_another_realm(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-33540, CVE-2026-48978
    thief = new_server()
    challenge = {"WWW-Authenticate": f'Bearer realm="{thief.url}/token",service="x"'}
    server.on("GET", IMAGE_PATH, reply_with(401, b"", challenge))

    with pytest.raises(AccessDeniedError, match="ecr:BatchGetImage"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert thief.received == []


def test_the_login_stays_behind_when_a_blob_is_stored_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # GHSA-vh4v-2xq2-g5cg: another port of the same host is another origin
    store = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{store.url}/stored?X-Amz-Signature=1"}))
    store.on("GET", "/stored", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert server.logins == [SECRET]
    assert store.logins == []


def test_the_login_is_not_taken_up_again_when_the_way_leads_back(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # go-containerregistry#2337
    other = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{other.url}/there"}))
    other.on("GET", "/there", reply_with(302, b"", {"Location": f"{server.url}/back"}))
    server.on("GET", "/back", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert server.logins == [SECRET]
    assert [request.path for request in server.received] == [BLOB_PATH, "/back"]


def test_the_login_is_kept_when_a_blob_moves_within_the_registry(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": "/elsewhere"}))
    server.on("GET", "/elsewhere", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert server.logins == [SECRET, SECRET]


def test_redirects_are_followed_five_times_and_no_more(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    hops = [reply_with(307, b"", {"Location": BLOB_PATH})] * limits.REDIRECTS
    server.on("GET", BLOB_PATH, *hops, reply_with(200, BLOB), *hops, hops[0])

    assert read(client) == BLOB
    with pytest.raises(RefusedByRegistryError, match="more than 5 times"):
        read(client)


def test_a_redirect_is_refused_when_it_leaves_encryption_or_http() -> None:
    def leading_to(location: str) -> HTTPResponse:
        return HTTPResponse(headers={"Location": location})

    assert redirect_target(leading_to("http://127.0.0.1/blob"), "http://registry/blob") == "http://127.0.0.1/blob"
    with pytest.raises(RefusedByRegistryError, match="not encrypted"):
        redirect_target(leading_to("http://127.0.0.1/blob"), "https://registry/blob")
    with pytest.raises(RefusedByRegistryError, match="no URL of a registry"):
        redirect_target(leading_to("file:///etc/passwd"), "http://registry/blob")


def test_neither_login_nor_content_leave_when_the_upload_is_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-50151
    thief = new_server()
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": f"{thief.url}{UPLOAD}"}))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)
    assert thief.received == []


def test_neither_login_nor_content_leave_when_the_upload_moves_elsewhere_half_way(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-50151
    thief = new_server()
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": UPLOAD}))
    server.on("PATCH", UPLOAD, reply_with(202, b"", {"Location": f"{thief.url}{UPLOAD}"}))
    server.on("DELETE", UPLOAD, reply_with(204))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)
    assert thief.received == []
    assert server.methods(UPLOAD) == ["PATCH", "DELETE"]


def test_no_page_is_asked_for_when_it_is_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-85732
    thief = new_server()
    link = {"Content-Type": OCI_INDEX, "Link": f'<{thief.url}{REFERRERS_PATH}?last=x>; rel="next"'}
    server.on("GET", REFERRERS_PATH, reply_with(200, EMPTY_INDEX, link))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.referrers("team-a/api", IMAGE_DIGEST)
    assert thief.received == []


def test_the_login_is_in_no_error_when_the_registry_repeats_it(
    server: Any, client: DistributionClient, reply_with: Reply, caplog: pytest.LogCaptureFixture
) -> None:  # GHSA-c37v-3c8w-crq8
    said = json.dumps({"errors": [{"code": "DENIED", "message": f"{SECRET} is not welcome\r\nforged log line"}]})
    server.on("GET", IMAGE_PATH, reply_with(403, said.encode()))
    server.on("POST", UPLOADS, reply_with(500, SECRET.encode()))

    with pytest.raises(AccessDeniedError) as denied:
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    with pytest.raises(RegistryUnavailableError) as broken:
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)

    told = f"{denied.value!r} {broken.value!r} {caplog.text}"
    assert "c2VjcmV0" not in told
    assert "is not welcome" in told
    assert "\n" not in str(denied.value)


def test_a_presigned_url_is_in_no_error_when_the_store_refuses(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    store = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{store.url}/stored?X-Amz-Signature=canary"}))
    store.on("GET", "/stored", reply_with(403, b"<Error/>"))

    with pytest.raises(AccessDeniedError) as error:
        read(client)
    assert "canary" not in repr(error.value)
    assert "/stored" in str(error.value)


def test_a_url_with_a_password_is_no_origin() -> None:
    with pytest.raises(RefusedByRegistryError) as error:
        Origin.of("https://user:canary@registry/")
    assert "canary" not in str(error.value)
    for url in ("ftp://registry/", "registry", "http://", "http://[::1"):
        with pytest.raises(RefusedByRegistryError):
            Origin.of(url)
