"""Lists of image tags, from registries that mean well and from others (attacks 5 and 12)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.errors import RefusedByRegistryError

PATH = "/v2/team-a/api/tags/list"


def page(*tags: str) -> bytes:
    return json.dumps({"name": "team-a/api", "tags": tags}).encode()


def test_all_pages_are_read(server: Any, reply_with: Any, client: DistributionClient) -> None:
    link = {"Link": f'<{PATH}?last=b>; rel="next"'}
    server.on("GET", PATH, reply_with(200, page("a", "b"), link), reply_with(200, page("c")))

    assert list(client.image_tags("team-a/api")) == ["a", "b", "c"]
    assert [each.path for each in server.received] == [PATH, f"{PATH}?last=b"]


def test_there_are_none_when_the_registry_says_null(server: Any, reply_with: Any, client: DistributionClient) -> None:
    server.on("GET", PATH, reply_with(200, b'{"name": "team-a/api", "tags": null}'))

    assert list(client.image_tags("team-a/api")) == []


def test_attack_5_a_link_to_another_host_gets_nothing(
    server: Any, reply_with: Any, client: DistributionClient, new_server: Callable[[], Any]
) -> None:
    foreign = new_server()
    server.on("GET", PATH, reply_with(200, page("a"), {"Link": f'<{foreign.url}{PATH}>; rel="next"'}))

    with pytest.raises(RefusedByRegistryError, match="which is another server"):
        list(client.image_tags("team-a/api"))

    assert foreign.received == []


def test_attack_12_pages_that_lead_in_a_circle_end(server: Any, reply_with: Any, client: DistributionClient) -> None:
    server.on("GET", PATH, reply_with(200, page("a"), {"Link": f'<{PATH}>; rel="next"'}))

    with pytest.raises(RefusedByRegistryError, match="without end"):
        list(client.image_tags("team-a/api"))

    assert len(server.received) == 1


@pytest.fixture
def pages(server: Any, reply_with: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """So many pages, where three are the limit."""
    monkeypatch.setattr(limits, "PAGES", 3)

    def arrange(count: int) -> None:
        links = [{"Link": f'<{PATH}?n={number}>; rel="next"'} for number in range(1, count)]
        server.on("GET", PATH, *(reply_with(200, page("a"), link) for link in links), reply_with(200, page("z")))

    return arrange


def test_attack_12_as_many_pages_as_the_limit_are_read(
    pages: Callable[[int], None], client: DistributionClient
) -> None:
    pages(3)

    assert list(client.image_tags("team-a/api")) == ["a", "a", "z"]


def test_attack_12_one_page_more_is_refused(pages: Callable[[int], None], client: DistributionClient) -> None:
    pages(4)

    with pytest.raises(RefusedByRegistryError, match="without end"):
        list(client.image_tags("team-a/api"))


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"tags": 7}', b'{"tags": ["../x"]}', b'{"tags": [null]}', b'{"tags": ["a", ""]}', b"[" * 9999],
)
def test_what_is_no_list_of_tags_is_refused(
    answer: bytes, server: Any, reply_with: Any, client: DistributionClient
) -> None:
    server.on("GET", PATH, reply_with(200, answer))

    with pytest.raises(RefusedByRegistryError):
        list(client.image_tags("team-a/api"))


@pytest.mark.parametrize("digest", ["sha256:../../x", "", "latest"])
def test_a_digest_that_is_none_is_refused(
    digest: str, server: Any, reply_with: Any, client: DistributionClient
) -> None:
    server.on("HEAD", "/v2/team-a/api/manifests/v1", reply_with(200, b"", {"Docker-Content-Digest": digest}))

    with pytest.raises(RefusedByRegistryError, match="says that its digest is"):
        client.digest_of("team-a/api", "v1")  # type: ignore[arg-type]
