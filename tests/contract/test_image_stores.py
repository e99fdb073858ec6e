"""One suite for the places that images are copied from and to: in memory, a folder, and a registry."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.memory import InMemoryStore
from ecr_steward.adapters.registry_store import RegistryStore
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
)
from ecr_steward.ports.stores import ImageStore
from ecr_steward_cli.copying.layout import LayoutStore
from local_ecr import LocalEcr, LocalEcrServer, Quirks
from tests.given.graphs import blob_of, fill, image_of, index_of

TAG = ImageTag("1.0.0")
NOWHERE = Digest(f"sha256:{'0' * 64}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ecr = LocalEcr(tmp_path_factory.mktemp("ecr"), quirks=Quirks.none())
    with LocalEcrServer(ecr, [("111122223333", "us-east-1")]) as server:
        yield server.registry_url("111122223333", "us-east-1")


@pytest.fixture(params=["fake", "folder", "ecr", "another registry"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ImageStore:
    match request.param:
        case "fake":
            return InMemoryStore()
        case "folder":
            return LayoutStore(tmp_path / "layout")
        case kind:
            client = DistributionClient(request.getfixturevalue("server"), lambda: "", is_ecr=kind == "ecr")
            return RegistryStore(client, f"of/{tmp_path.name.replace('_', '-').lower().strip('-')}")


def read(content: bytes) -> Callable[[], AbstractContextManager[Iterable[bytes]]]:
    return lambda: nullcontext([content[:1], content[1:]])


def test_nothing_is_there_when_nothing_was_put(store: ImageStore) -> None:
    assert (store.digest_of(TAG), store.digest_of(NOWHERE), store.has_blob(NOWHERE)) == (None, None, False)
    with pytest.raises((ImageNotFoundError, RepositoryNotFoundError)):
        store.manifest(TAG)


def test_a_blob_is_as_it_was_when_it_is_read(store: ImageStore) -> None:
    blob = blob_of(b"layer")

    assert store.write_blob(blob, InMemoryStore(), read(b"layer"))

    assert store.has_blob(blob.digest)
    fill(store, [image_of(b"layer", b"layer")], [])  # ECR lets nobody read a layer that no image has
    with store.read_blob(blob) as chunks:
        assert b"".join(chunks) == b"layer"


@pytest.mark.parametrize("content", [b"lay", b"layers", b"LAYER"])
def test_nothing_of_a_blob_is_there_when_its_bytes_are_others(store: ImageStore, content: bytes) -> None:
    blob = blob_of(b"layer")

    with pytest.raises((DigestMismatchError, RegistryUnavailableError)):
        store.write_blob(blob, InMemoryStore(), read(content))

    assert not store.has_blob(blob.digest)


def test_an_image_is_byte_for_byte_what_was_put(store: ImageStore) -> None:
    image = image_of(b"{}", b"layer")

    fill(store, [image], [b"{}", b"layer"])
    store.put_manifest(image, TAG)

    assert store.manifest(TAG).content == store.manifest(image.digest).content == image.content
    assert (store.digest_of(TAG), store.digest_of(image.digest)) == (image.digest, image.digest)
    assert list(store.image_tags()) == [TAG]


def test_a_tag_moves_when_another_image_is_put_under_it(store: ImageStore) -> None:
    first, second = image_of(b"{}", b"layer"), image_of(b"{}", b"other")
    fill(store, [first, second], [b"{}", b"layer", b"other"])

    for image in (first, second):
        store.put_manifest(image, TAG)

    assert (store.digest_of(TAG), list(store.image_tags())) == (second.digest, [TAG])


def test_an_index_is_there_with_its_children(store: ImageStore) -> None:
    child = image_of(b"{}", b"layer")
    index = index_of(child)

    fill(store, [child, index], [b"{}", b"layer"])

    assert store.manifest(index.digest).children == (child.descriptor,)


def test_referrers_are_those_of_the_image(store: ImageStore) -> None:
    image = image_of(b"{}", b"layer")
    signature = image_of(b"{}", b"signature", subject=image)

    fill(store, [image, signature], [b"{}", b"layer", b"signature"])

    assert [each.digest for each in store.referrers(image.digest)] == [signature.digest]
    assert store.referrers(signature.digest) == ()


def test_a_blob_is_not_sent_when_a_neighbour_has_it(server: str) -> None:
    client = DistributionClient(server, lambda: "", is_ecr=False)
    there, here = RegistryStore(client, "mount/there"), RegistryStore(client, "mount/here")
    blob: Descriptor = blob_of(b"shared")
    fill(there, [image_of(b"shared", b"shared")], [b"shared"])

    def never() -> AbstractContextManager[Iterable[bytes]]:
        raise AssertionError("it was read")

    assert here.write_blob(blob, there, never) is False
    assert here.has_blob(blob.digest)
