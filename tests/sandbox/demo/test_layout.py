"""The demo's image, and a user's own: read strictly, or refused with a reason before anything starts."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST
from ecr_steward_sandbox.demo.layout import release, write_layout
from ecr_steward_sandbox.oci_layout import Layout, LayoutError


def keep(layout: Layout, **document: Any) -> dict[str, Any]:
    """Put a manifest or index into a layout; answers its descriptor."""
    content = json.dumps({"schemaVersion": 2, **document}).encode()
    digest = digest_of(content)
    layout.path(digest).write_bytes(content)
    return {"mediaType": document["mediaType"], "digest": str(digest), "size": len(content)}


def keep_nothing(layout: Layout) -> dict[str, Any]:
    """Put an empty document into a layout, as OCI's guidance for artifacts asks; answers its descriptor."""
    layout.path(digest_of(b"{}")).write_bytes(b"{}")
    return {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(digest_of(b"{}")), "size": 2}


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


def test_platforms_are_the_images_that_run_somewhere_when_a_layout_holds_other_things_too(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "image")
    amd64, arm64 = layout.entries()
    attestation = keep(layout, mediaType=OCI_MANIFEST, config=keep_nothing(layout), layers=[])
    attestation["platform"] = {"os": "unknown", "architecture": "unknown"}
    nested = keep(layout, mediaType=OCI_INDEX, manifests=[arm64, attestation, amd64])
    top = keep(layout, mediaType=OCI_INDEX, manifests=[amd64, attestation, nested])
    (layout.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))

    platforms = release(layout, "1.4.2").platforms

    assert [str(digest) for digest in platforms] == [amd64["digest"], arm64["digest"]]


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
