"""The demo's image, and a user's own: read strictly, or refused with a reason before anything starts."""

import json
from pathlib import Path

import pytest

from ecr_steward.adapters.manifests import digest_of
from sandbox.demo.layout import Layout, LayoutError, release, write_layout


def test_written_layout_holds_an_image_for_two_platforms_that_share_a_layer(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")

    manifests = layout.manifests()

    assert [entry["platform"]["architecture"] for entry in layout.entries()] == ["amd64", "arm64"]
    assert len(manifests) == 2
    assert len({blob.digest for manifest in manifests for blob in manifest.blobs}) == 5


def test_written_layout_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = write_layout(tmp_path / "a"), write_layout(tmp_path / "b")

    assert release(first, "1.4.2").index.digest == release(second, "1.4.2").index.digest


def test_versions_have_digests_of_their_own_over_the_same_children(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")

    first, second = release(layout, "1.4.2"), release(layout, "1.4.3")

    assert first.index.digest != second.index.digest
    assert first.children == second.children
    assert first.sbom.subject is not None
    assert first.sbom.subject.digest == first.index.digest


def test_image_for_one_platform_is_an_index_of_one_child(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")
    index = json.loads((layout.root / "index.json").read_text())
    index["manifests"] = layout.entries()[:1]
    (layout.root / "index.json").write_text(json.dumps(index))

    assert len(release(layout, "1.4.2").index.children) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"manifests": []}', '{"manifests": 3}'])
def test_folder_is_refused_with_its_name_when_its_index_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)

    with pytest.raises(LayoutError, match=tmp_path.name):
        release(Layout(tmp_path), "1.4.2")


def test_layout_is_refused_when_a_manifest_is_missing(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")
    gone = layout.manifests()[0].digest
    layout.path(gone).unlink()

    with pytest.raises(LayoutError, match=gone.hex):
        release(layout, "1.4.2")


def test_layout_is_refused_when_a_manifest_was_changed(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")
    changed = layout.path(layout.manifests()[0].digest)
    changed.write_bytes(changed.read_bytes() + b" ")

    with pytest.raises(LayoutError, match="does not hold the bytes"):
        release(layout, "1.4.2")
    assert digest_of(changed.read_bytes()).hex != changed.name
