"""How deep and how large an image may be: its limits, each at its value and one beyond."""

from collections.abc import Callable

import pytest

from ecr_steward.adapters.memory import InMemoryStore
from ecr_steward.domain.images import DEPTH_LIMIT, PARTS_LIMIT, Descriptor, Manifest
from ecr_steward.domain.names import Digest
from ecr_steward.errors import InvalidManifestError, TooManyReferrersError
from ecr_steward.usecases import image_graph
from ecr_steward.usecases.image_graph import read_graph
from tests.given.graphs import image_of, index_of

IMAGE = image_of(b"{}")
FULL = 1000  # children of an index


@pytest.fixture
def hold() -> Callable[..., InMemoryStore]:
    """A store of these manifests."""

    def made(*manifests: Manifest) -> InMemoryStore:
        store = InMemoryStore()
        store.manifests = {each.digest: each for each in manifests}
        return store

    return made


@pytest.mark.parametrize("more", [0, 1])
def test_an_index_is_followed_down_to_the_limit(hold: Callable[..., InMemoryStore], more: int) -> None:
    levels = [IMAGE]
    for _ in range(DEPTH_LIMIT + more):
        levels.append(index_of(levels[-1]))
    store = hold(*levels)

    if more:
        with pytest.raises(InvalidManifestError, match="more than 8 levels"):
            read_graph(levels[-1].digest, store, with_referrers=False)
    else:
        assert len(read_graph(levels[-1].digest, store, with_referrers=False).parts) == DEPTH_LIMIT + 1


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 1])
def test_an_image_is_read_up_to_so_many_manifests(hold: Callable[..., InMemoryStore], more: int) -> None:
    images = [image_of(b"%d" % number) for number in range(PARTS_LIMIT - 11 + more)]
    groups = [index_of(*images[start : start + FULL]) for start in range(0, len(images), FULL)]
    top = index_of(*groups)
    store = hold(top, *groups, *images)

    assert len(store.manifests) == PARTS_LIMIT + more
    if more:
        with pytest.raises(InvalidManifestError, match="or 10000 manifests"):
            read_graph(top.digest, store, with_referrers=False)
    else:
        assert len(read_graph(top.digest, store, with_referrers=False).parts) == PARTS_LIMIT


def test_a_referrer_stays_behind_when_it_is_too_deep(hold: Callable[..., InMemoryStore]) -> None:
    chain = [IMAGE]
    for number in range(DEPTH_LIMIT + 1):
        chain.append(image_of(b"%d" % number, subject=chain[-1]))

    graph = read_graph(IMAGE.digest, hold(*chain), with_referrers=True)

    assert len(graph.parts) == DEPTH_LIMIT + 1
    assert chain[-1].digest.value in graph.remarks[0]


class Flooded(InMemoryStore):
    """Nobody lists what refers to an image here."""

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        raise TooManyReferrersError(f"there are more than 10000 referrers of {subject}")


@pytest.mark.parametrize("every_referrer", [False, True])
def test_an_image_does_not_wait_for_more_referrers_than_are_listed_unless_a_person_wants_them_all(
    every_referrer: bool,
) -> None:
    """M7"""
    store = Flooded()
    store.manifests = {IMAGE.digest: IMAGE}

    if every_referrer:
        with pytest.raises(TooManyReferrersError):
            read_graph(IMAGE.digest, store, with_referrers=True, every_referrer=True)
    else:
        graph = read_graph(IMAGE.digest, store, with_referrers=True)
        assert [part.manifest.digest for part in graph.parts] == [IMAGE.digest]
        assert "more than 10000 referrers" in graph.remarks[0]


def test_all_children_come_before_the_referrers_of_any_when_these_are_more_than_the_limit(
    hold: Callable[..., InMemoryStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M7"""
    monkeypatch.setattr(image_graph, "PARTS_LIMIT", 6)
    children = [image_of(b"%d" % number) for number in range(3)]
    index = index_of(*children)
    flood = [image_of(b"flood %d" % number, subject=children[0]) for number in range(20)]

    graph = read_graph(index.digest, hold(index, *children, *flood), with_referrers=True)

    assert len(graph.parts) == 6
    assert {index.digest, *(child.digest for child in children)} <= {part.manifest.digest for part in graph.parts}
    assert graph.remarks == (f"18 referrers stay behind: {index.digest} has more than 6 manifests",)


def test_what_refers_to_the_image_itself_comes_before_what_refers_to_its_children(
    hold: Callable[..., InMemoryStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M7"""
    monkeypatch.setattr(image_graph, "PARTS_LIMIT", 3)
    index = index_of(IMAGE)
    signature = image_of(b"signature", subject=index)
    flood = [image_of(b"flood %d" % number, subject=IMAGE) for number in range(20)]

    graph = read_graph(index.digest, hold(index, IMAGE, signature, *flood), with_referrers=True)

    assert signature.digest in {part.manifest.digest for part in graph.parts}
