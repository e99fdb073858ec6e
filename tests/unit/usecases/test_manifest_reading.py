"""Large manifests, of which a copy holds one at a time: each may have 4 MiB, and ten times that when it is parsed."""

import threading
import weakref
from dataclasses import replace

import pytest

from ecr_steward.adapters.memory import InMemoryStore
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import InvalidManifestError
from ecr_steward.usecases import manifest_reading
from ecr_steward.usecases.copy_images import CopyRun, How, Wanted
from ecr_steward.usecases.moving import Untold
from tests.given.graphs import fill, image_of, index_of

TAG = ImageTag("1.0.0")
CHILDREN = [image_of(b"{}", b"layer %d" % number) for number in range(20)]
INDEX = index_of(*CHILDREN)


class Weighed(InMemoryStore):
    """Hands each manifest out anew, and knows how many of them, with their bytes, are in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._alive: weakref.WeakSet[Manifest] = weakref.WeakSet()
        self._counting = threading.Lock()

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        found = replace(super().manifest(reference))
        with self._counting:
            self._alive.add(found)
            self.most = max(self.most, len(self._alive))
        return found


class Elsewhere(InMemoryStore):
    """Keeps a copy of each manifest, and not what it was handed."""

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        super().put_manifest(replace(manifest, content=manifest.content), image_tag, is_top=is_top)


@pytest.fixture
def source() -> Weighed:
    store = Weighed()
    fill(store, [*CHILDREN, INDEX], [b"{}", *(b"layer %d" % number for number in range(20))])
    store.tags[TAG] = INDEX.digest
    return store


def copy(source: Weighed) -> Elsewhere:
    destination = Elsewhere()
    with CopyRun(source, destination, How(), Untold()) as run:
        run.copy(Wanted(TAG, TAG))
    return destination


def test_one_large_manifest_is_in_memory_at_a_time(source: Weighed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_reading, "LARGE_BYTES", 10)

    destination = copy(source)

    assert set(destination.manifests) == set(source.manifests)
    assert source.most <= 3  # the index, the one that is looked at, and the one before it


def test_small_manifests_are_read_once(source: Weighed) -> None:
    copy(source)

    read = [call.arguments[0] for call in source.calls.entries if call.method == "manifest"]
    assert sorted(map(str, read)) == sorted(map(str, [TAG, *(child.digest for child in CHILDREN)]))


def test_a_manifest_is_refused_when_it_is_large_and_listed_as_small(
    source: Weighed, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = CHILDREN[0].descriptor.size
    monkeypatch.setattr(manifest_reading, "LARGE_BYTES", size - 1)
    listed = [Descriptor(each.descriptor.media_type, each.digest, 1) for each in CHILDREN]
    source.manifests[INDEX.digest] = replace(INDEX, children=tuple(listed))

    with pytest.raises(InvalidManifestError, match=f"has {size} bytes, and is listed with 1"):
        copy(source)
