"""An answer that is cut short is no answer, wherever it is cut."""

from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import OCI_INDEX, Descriptor
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import InvalidManifestError, RefusedByRegistryError, RegistryUnavailableError

CONTENT = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
DIGEST = digest_of(CONTENT)
HERE = "/v2/team-a/api"
BLOB = Descriptor("a/b", Digest(f"sha256:{'0' * 64}"), 5)


def cut(*lines: str, body: bytes = b"") -> Any:
    """The beginning of an answer, and then the connection is gone."""

    def answer(handler: Any) -> None:
        handler.wfile.write("\r\n".join(["HTTP/1.1 200 OK", *lines]).encode() + body)
        handler.close_connection = True

    return answer


def cut_in_body(content: bytes) -> Any:
    return cut(f"Content-Length: {len(content)}", f"Content-Type: {OCI_INDEX}", "", "", body=content[:-1])


@pytest.mark.parametrize(
    "fault",
    [cut("Content-Ty"), cut("Docker-Content-Digest: sha256:12", ""), cut_in_body(CONTENT)],
    ids=["header", "headers", "body"],
)
def test_a_manifest_is_asked_for_again_when_it_is_cut_short(
    server: Any, client: DistributionClient, reply_with: Any, fault: Any
) -> None:
    server.on("GET", f"{HERE}/manifests/1.0.0", fault, fault, reply_with(200, CONTENT, {"Content-Type": OCI_INDEX}))

    assert client.get_manifest("team-a/api", ImageTag("1.0.0")).digest == DIGEST


def test_referrers_and_tags_are_asked_for_again_when_they_are_cut_short(
    server: Any, client: DistributionClient, reply_with: Any
) -> None:
    server.on("GET", f"{HERE}/referrers/{DIGEST}", cut_in_body(CONTENT), reply_with(200, CONTENT))
    server.on("GET", f"{HERE}/tags/list", cut_in_body(CONTENT), reply_with(200, b'{"tags": ["1.0.0"]}'))

    assert client.referrers("team-a/api", DIGEST) == ()
    assert list(client.image_tags("team-a/api")) == ["1.0.0"]


def test_it_is_told_what_was_cut_short_when_it_always_is(server: Any, client: DistributionClient) -> None:
    server.on("GET", f"{HERE}/manifests/1.0.0", cut_in_body(CONTENT))

    with pytest.raises(RegistryUnavailableError, match=r"manifests/1\.0\.0: an answer was cut short"):
        client.get_manifest("team-a/api", ImageTag("1.0.0"))

    assert len(server.received) == 3


def test_nothing_is_sent_to_half_an_address_when_the_headers_are_cut(server: Any, client: DistributionClient) -> None:
    server.on("POST", f"{HERE}/blobs/uploads/", cut("Content-Length: 0", f"Location: {HERE}/blobs/uploads/123"))

    with pytest.raises(RegistryUnavailableError):
        client.upload_blob("team-a/api", [b"blob!"], BLOB)

    assert server.methods() == ["POST"]


def test_no_other_digest_is_believed_when_it_is_cut(server: Any, client: DistributionClient, reply_with: Any) -> None:
    whole = reply_with(200, b"", {"Docker-Content-Digest": str(DIGEST)})
    server.on("HEAD", f"{HERE}/manifests/1.0.0", cut(f"Docker-Content-Digest: {DIGEST}"[:-1]), whole)

    assert client.digest_of("team-a/api", ImageTag("1.0.0")) == DIGEST


def test_it_is_named_what_cannot_be_read(server: Any, client: DistributionClient, reply_with: Any) -> None:
    wrong = CONTENT.replace(b"[]", b'[{"mediaType": "a/b"}]')
    server.on("GET", f"{HERE}/manifests/1.0.0", reply_with(200, wrong))
    server.on("GET", f"{HERE}/referrers/{DIGEST}", reply_with(200, wrong))

    with pytest.raises(InvalidManifestError, match=r"the manifest 1\.0\.0: a descriptor"):
        client.get_manifest("team-a/api", ImageTag("1.0.0"))
    with pytest.raises(InvalidManifestError, match=f"the referrers of {DIGEST}: a descriptor"):
        client.referrers("team-a/api", DIGEST)


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
def test_an_answer_is_read_when_others_announce_it(server: Any, client: DistributionClient, interim: int) -> None:
    announced = f"HTTP/1.1 {interim} Soon\r\nLink: </style.css>; rel=preload\r\nContent-Length: 7\r\n\r\n".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {OCI_INDEX}\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()
    server.on("GET", f"{HERE}/manifests/1.0.0", lambda handler: handler.wfile.write(2 * announced + head + CONTENT))

    for _ in range(2):
        assert client.get_manifest("team-a/api", ImageTag("1.0.0")).content == CONTENT


def test_a_connection_that_becomes_something_else_is_no_answer(server: Any, client: DistributionClient) -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    server.on("GET", f"{HERE}/manifests/1.0.0", lambda handler: handler.wfile.write(said))

    with pytest.raises(RefusedByRegistryError, match="101"):
        client.get_manifest("team-a/api", ImageTag("1.0.0"))
