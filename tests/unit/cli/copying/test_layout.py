"""Folders of images that others have made, and what is left of one when writing is broken off."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.strict_json import read_object
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import ImageNotFoundError, InvalidNameError, RefusedByRegistryError
from ecr_steward_cli.copying import layout
from ecr_steward_cli.copying.layout import NAME, LayoutStore
from tests.given.graphs import blob_of, fill, image_of, index_of

IMAGE = image_of(b"{}", b"layer")
TAG = ImageTag("1.0.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(LayoutStore(tmp_path), [IMAGE], [b"{}", b"layer"])
    LayoutStore(tmp_path).put_manifest(IMAGE, TAG)
    return tmp_path


def change(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    index = folder / "index.json"
    document = json.loads(index.read_text())
    change(document)
    index.write_text(json.dumps(document))


def test_a_name_that_leads_elsewhere_is_no_image_tag(folder: Path) -> None:
    change(folder, lambda index: index["manifests"][0]["annotations"].update({NAME: "../../victim/manifests/latest"}))  # type: ignore[index]

    with pytest.raises(InvalidNameError):
        list(LayoutStore(folder).image_tags())


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, OCI_INDEX])
def test_a_manifest_is_read_when_it_does_not_say_what_it_is(media_type: str, folder: Path) -> None:
    made = IMAGE if media_type == OCI_MANIFEST else index_of(IMAGE)
    document = json.loads(made.content)
    del document["mediaType"]
    content = json.dumps(document).encode()
    digest = digest_of(content)
    (folder / "blobs" / "sha256" / digest.hex).write_bytes(content)

    assert LayoutStore(folder).manifest(digest).descriptor.media_type == media_type


def test_a_folder_may_hold_more_images_than_an_index_has_children(folder: Path) -> None:
    store = LayoutStore(folder)
    entry = json.loads((folder / "index.json").read_text())["manifests"][0]
    change(
        folder,
        lambda index: index.update(
            manifests=[{**entry, "annotations": {NAME: f"v{number}"}} for number in range(1_500)]
        ),
    )

    store.put_manifest(IMAGE, TAG)

    assert len(list(store.image_tags())) == 1_501


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"manifests": [{}]}', b'{"manifests": 7}', b"[" * 9999])
def test_an_index_that_is_none_is_refused(content: bytes, folder: Path) -> None:
    (folder / "index.json").write_bytes(content)

    with pytest.raises(RefusedByRegistryError, match=r"index\.json"):
        LayoutStore(folder).digest_of(TAG)


def test_an_index_is_read_up_to_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "INDEX_BYTES", 100)
    (folder / "index.json").write_bytes(b'{"manifests": []}'.ljust(100))
    assert LayoutStore(folder).digest_of(TAG) is None

    (folder / "index.json").write_bytes(b'{"manifests": []}'.ljust(101))
    with pytest.raises(RefusedByRegistryError, match=r"index\.json"):
        LayoutStore(folder).digest_of(TAG)


def test_cve_2021_21272_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path_factory) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret"
    secret.write_bytes(b"secret")
    blob = blob_of(b"secret")
    (folder / "blobs" / "sha256" / blob.digest.hex).symlink_to(secret)

    with pytest.raises(ImageNotFoundError), LayoutStore(folder).read_blob(blob) as chunks:
        list(chunks)


def test_a_file_has_its_name_only_when_all_of_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: (sizes.append(self.stat().st_size), replace(self, to))[1])

    LayoutStore(tmp_path).write_blob(blob_of(b"layer"), LayoutStore(tmp_path), lambda: nullcontext([b"la", b"yer"]))

    assert sizes == [5]


def test_an_image_without_a_tag_is_listed_and_its_parts_are_not(tmp_path: Path) -> None:
    store, index = LayoutStore(tmp_path), index_of(IMAGE)
    fill(store, [IMAGE], [b"{}", b"layer"])

    store.put_manifest(index, None, is_top=True)

    listed = json.loads((tmp_path / "index.json").read_text())["manifests"]
    assert [Digest(each["digest"]) for each in listed] == [index.digest]


class Counting(LayoutStore):
    """A folder that counts the manifests that are read from it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[Digest | ImageTag] = []

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        self.read.append(reference)
        return super().manifest(reference)


def test_each_manifest_is_read_once_when_every_image_is_asked_for_its_referrers(tmp_path: Path) -> None:
    """tools 6.7: each image read all manifests of the folder anew, 26.8 s for 400 images."""
    images = [image_of(b"{}", b"%d" % number) for number in range(20)]
    signatures = [image_of(b"{}", b"signature", subject=image) for image in images]
    store = Counting(tmp_path)
    for number, manifest in enumerate([*images, *signatures]):
        store.put_manifest(manifest, ImageTag(f"v{number}"))
    store.read.clear()

    found = [[each.digest for each in store.referrers(image.digest)] for image in images]

    assert found == [[signature.digest] for signature in signatures]
    assert sorted(store.read) == sorted(each.digest for each in [*images, *signatures])


def test_the_index_is_parsed_once_when_many_tags_are_looked_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tools 6.7."""
    parsed = []
    monkeypatch.setattr(layout, "read_object", lambda content: parsed.append(content) or read_object(content))
    store = LayoutStore(folder)

    assert {store.digest_of(TAG) for _ in range(20)} == {IMAGE.digest}
    assert len(parsed) == 1


def test_what_another_process_has_put_is_seen(folder: Path) -> None:
    """tools 6.7: what is remembered of a folder is no older than its file."""
    store, other = LayoutStore(folder), LayoutStore(folder)
    later, signature = image_of(b"{}", b"later"), image_of(b"{}", b"signature", subject=IMAGE)
    assert (store.digest_of(TAG), store.referrers(IMAGE.digest)) == (IMAGE.digest, ())

    other.put_manifest(later, TAG)
    other.put_manifest(signature, None)

    assert store.digest_of(TAG) == later.digest
    assert [each.digest for each in store.referrers(IMAGE.digest)] == [signature.digest]


def test_an_entry_that_is_no_manifest_refers_to_nothing_and_hides_nothing(folder: Path) -> None:
    """tools 6.7: an entry of any other media type, as the specification allows, failed all of them."""
    signature = image_of(b"{}", b"signature", subject=IMAGE)
    LayoutStore(folder).put_manifest(signature, None)
    text = {"mediaType": "application/xml", "digest": f"sha256:{'0' * 64}", "size": 7}
    change(folder, lambda index: index["manifests"].append(text))  # type: ignore[attr-defined]

    assert [each.digest for each in LayoutStore(folder).referrers(IMAGE.digest)] == [signature.digest]
