"""Logins that run out, and registries that want to be asked again later."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import OCI_INDEX, Descriptor
from ecr_steward.domain.names import image_tag
from ecr_steward.errors import (
    AccessDeniedError,
    ImageTagIsImmutableError,
    InvalidManifestError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    ThrottledError,
)

type Reply = Callable[..., Any]

INDEX = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
DIGEST = digest_of(INDEX)
PATH = f"/v2/team-a/api/manifests/{DIGEST}"
OK = (200, INDEX, {"Content-Type": OCI_INDEX})
BLOB = Descriptor("text/plain", digest_of(b"blob"), 4)
UPLOADS = "/v2/team-a/api/blobs/uploads/"


def refusing(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


EXPIRED = refusing("DENIED", "Your authorization token has expired. Reauthenticate and try again.")


class Logins:
    """Counts the logins; each renewal gives another one."""

    def __init__(self) -> None:
        self.renewed = 0

    def __call__(self) -> str:
        return f"Basic login-{self.renewed}"

    def renew(self) -> None:
        self.renewed += 1


@pytest.fixture
def logins() -> Logins:
    return Logins()


@pytest.fixture
def renewing(server: Any, transport: Transport, logins: Logins) -> DistributionClient:
    return DistributionClient(server.url, logins, renew=logins.renew, transport=transport)


@pytest.mark.parametrize(
    "refused", [(401, b""), (403, EXPIRED)], ids=["unauthorized", "ECR's words for an expired token"]
)
def test_the_login_is_renewed_once_and_used_when_it_has_expired(
    server: Any, renewing: DistributionClient, logins: Logins, reply_with: Reply, refused: tuple[int, bytes]
) -> None:
    server.on("GET", PATH, reply_with(*refused), reply_with(*OK))

    assert renewing.get_manifest("team-a/api", DIGEST).digest == DIGEST
    assert [request.headers["authorization"] for request in server.received] == ["Basic login-0", "Basic login-1"]
    assert logins.renewed == 1


def test_the_login_is_renewed_when_a_head_request_is_denied_without_a_word(
    server: Any, renewing: DistributionClient, logins: Logins, reply_with: Reply
) -> None:
    server.on("HEAD", PATH, reply_with(403), reply_with(200))

    assert renewing.has_manifest("team-a/api", DIGEST)
    assert logins.renewed == 1


def test_it_is_denied_when_the_registry_never_takes_a_login(
    server: Any, renewing: DistributionClient, logins: Logins, reply_with: Reply
) -> None:
    server.on("GET", PATH, reply_with(401))

    with pytest.raises(AccessDeniedError, match=f"ecr:BatchGetImage on .*{DIGEST}"):
        renewing.get_manifest("team-a/api", DIGEST)
    assert server.methods() == ["GET", "GET"]
    assert logins.renewed == 1


def test_the_login_is_kept_when_the_role_is_denied(
    server: Any, renewing: DistributionClient, logins: Logins, reply_with: Reply
) -> None:
    server.on("GET", PATH, reply_with(403, refusing("DENIED", "User is not authorized to perform: ecr:BatchGetImage")))

    with pytest.raises(AccessDeniedError, match="not authorized"):
        renewing.get_manifest("team-a/api", DIGEST)
    assert logins.renewed == 0


def test_the_whole_upload_is_to_be_tried_again_when_the_login_expires_in_it(
    server: Any, renewing: DistributionClient, logins: Logins, reply_with: Reply
) -> None:
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": f"{UPLOADS}1"}))
    server.on("PATCH", f"{UPLOADS}1", reply_with(401))
    server.on("DELETE", f"{UPLOADS}1", reply_with(204))

    with pytest.raises(RegistryUnavailableError, match="expired during the upload"):
        renewing.upload_blob("team-a/api", iter([b"blob"]), BLOB)
    assert server.methods() == ["POST", "PATCH", "DELETE"]
    assert server.received[-1].headers["authorization"] == "Basic login-1"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_reading_is_repeated_when_the_registry_is_busy(
    server: Any, client: DistributionClient, reply_with: Reply, status: int
) -> None:
    server.on("GET", PATH, reply_with(status), reply_with(status), reply_with(*OK))

    assert client.get_manifest("team-a/api", DIGEST).digest == DIGEST
    assert len(server.received) == 3


def test_putting_a_manifest_is_repeated_when_the_registry_is_busy(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("PUT", PATH, reply_with(429), reply_with(201, b"", {"Docker-Content-Digest": DIGEST.value}))

    assert client.put_manifest("team-a/api", DIGEST, INDEX, OCI_INDEX) == DIGEST
    assert [request.body for request in server.received] == [INDEX, INDEX]


def test_starting_an_upload_is_not_repeated_when_the_registry_is_busy(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("POST", UPLOADS, reply_with(429, refusing("TOOMANYREQUESTS", "Rate exceeded")))

    with pytest.raises(ThrottledError, match="Rate exceeded"):
        client.upload_blob("team-a/api", [b"blob"], BLOB)
    assert server.methods() == ["POST"]


def test_it_is_throttled_when_the_registry_stays_busy(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("GET", PATH, reply_with(429, refusing("TOOMANYREQUESTS", "Rate exceeded")))

    with pytest.raises(ThrottledError, match="Rate exceeded"):
        client.get_manifest("team-a/api", DIGEST)
    assert len(server.received) == 5


@pytest.mark.slow
def test_retry_after_is_heeded_when_it_is_short(server: Any, reply_with: Reply) -> None:
    server.on("GET", PATH, reply_with(429, b"", {"Retry-After": "1"}), reply_with(*OK))
    patient = Transport(retries=PATIENT.new(backoff_factor=0, backoff_jitter=0))
    started = time.monotonic()

    DistributionClient(server.url, lambda: "Basic x", transport=patient).get_manifest("team-a/api", DIGEST)

    assert time.monotonic() - started >= 1
    patient.close()


@pytest.mark.parametrize(
    "waits",
    [
        ["1000000000"],
        [str(limits.RETRY_AFTER_SECONDS + 1)],
        pytest.param(["1", str(limits.RETRY_AFTER_SECONDS)], marks=pytest.mark.slow),
    ],
)
def test_the_registry_is_left_at_once_when_retry_after_is_over_the_limit_in_all(
    server: Any, reply_with: Reply, waits: list[str]
) -> None:
    server.on("GET", PATH, *(reply_with(429, b"", {"Retry-After": wait}) for wait in waits), reply_with(*OK))
    patient = Transport(retries=PATIENT.new(backoff_factor=0, backoff_jitter=0))

    with pytest.raises(ThrottledError, match=f"Retry-After: {waits[-1]}"):
        DistributionClient(server.url, lambda: "Basic x", transport=patient).get_manifest("team-a/api", DIGEST)

    assert len(server.received) == len(waits)
    patient.close()


@pytest.mark.slow
def test_retry_after_is_heeded_when_it_is_as_long_as_the_limit(
    server: Any, reply_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", PATH, reply_with(429, b"", {"Retry-After": "1"}), reply_with(*OK))
    monkeypatch.setattr(limits, "RETRY_AFTER_SECONDS", 1)
    patient = Transport(retries=PATIENT.new(backoff_factor=0, backoff_jitter=0))

    DistributionClient(server.url, lambda: "Basic x", transport=patient).get_manifest("team-a/api", DIGEST)

    assert len(server.received) == 2
    patient.close()


NO_REPOSITORY = "The repository with name 'team-a/api' does not exist in the registry with id '111122223333'"
IMMUTABLE = "The image tag '1' already exists and cannot be overwritten because the repository is immutable"


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ((404, refusing("NAME_UNKNOWN", NO_REPOSITORY)), RepositoryNotFoundError),
        ((404, refusing("", NO_REPOSITORY)), RepositoryNotFoundError),
        ((400, refusing("TAG_INVALID", IMMUTABLE)), ImageTagIsImmutableError),
        ((400, refusing("TAG_INVALID", "no image tag")), RefusedByRegistryError),
        ((400, refusing("MANIFEST_INVALID", "does not match the digest")), InvalidManifestError),
        ((413, b""), InvalidManifestError),
        ((405, refusing("UNSUPPORTED", "Invalid parameter at 'artifactType'")), RefusedByRegistryError),
        ((400, refusing("TOOMANYREQUESTS", "Rate exceeded")), ThrottledError),
        ((500, b""), RegistryUnavailableError),
    ],
)
def test_a_refused_put_is_told_in_our_own_words(
    server: Any, client: DistributionClient, reply_with: Reply, refused: tuple[int, bytes], error: type[Exception]
) -> None:
    server.on("PUT", "/v2/team-a/api/manifests/1", reply_with(*refused))

    with pytest.raises(error, match=r"ecr:PutImage on http://.*/manifests/1"):
        client.put_manifest("team-a/api", image_tag("1"), INDEX, OCI_INDEX)


@pytest.mark.parametrize("status", [200, 301, 307])
def test_a_blob_is_there_when_the_registry_has_it_or_says_where_it_is(
    server: Any, client: DistributionClient, reply_with: Reply, status: int
) -> None:
    server.on("HEAD", f"/v2/team-a/api/blobs/{BLOB.digest}", reply_with(status), reply_with(404))

    assert client.blob_exists("team-a/api", BLOB.digest)
    assert not client.blob_exists("team-a/api", BLOB.digest)
