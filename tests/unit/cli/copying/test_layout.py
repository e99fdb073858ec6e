"""Folders of images that others have made, and what is left of one when writing is broken off."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST
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
