"""An answer that is cut short is no answer, wherever it is cut."""

from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import OCI_INDEX
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import InvalidManifestError, RegistryUnavailableError

CONTENT = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
DIGEST = digest_of(CONTENT)
HERE = "/v2/team-a/api"


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
    [cut("Content-Length: 90", "", ""), cut_in_body(CONTENT)],
    ids=["no body", "body"],
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


def test_it_is_named_what_cannot_be_read(server: Any, client: DistributionClient, reply_with: Any) -> None:
    wrong = CONTENT.replace(b"[]", b'[{"mediaType": "a/b"}]')
    server.on("GET", f"{HERE}/manifests/1.0.0", reply_with(200, wrong))
    server.on("GET", f"{HERE}/referrers/{DIGEST}", reply_with(200, wrong))

    with pytest.raises(InvalidManifestError, match=r"the manifest 1\.0\.0: a descriptor"):
        client.get_manifest("team-a/api", ImageTag("1.0.0"))
    with pytest.raises(InvalidManifestError, match=f"the referrers of {DIGEST}: a descriptor"):
        client.referrers("team-a/api", DIGEST)
