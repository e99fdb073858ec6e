"""Copies of a small image, and whether both sides are equal after them."""

import json
from collections.abc import Sequence
from typing import Any

from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import StewardError
from ecr_steward.ports.stores import ImageStore
from ecr_steward.usecases.copy_images import Copied, CopyRun, How, Wanted
from ecr_steward.usecases.moving import Pace, Untold
from tests.faults.places import whole
from tests.given.graphs import fill, image_of, index_of

TAG = ImageTag("1.0.0")
CONFIG, LAYER, LARGE, PROOF = b'{"os": "linux"}', b"layer", bytes(range(256)) * 1200, b"signature"
BLOBS = [CONFIG, LAYER, LARGE, PROOF]
ARM, INTEL = image_of(CONFIG, LAYER), image_of(CONFIG, LAYER, LARGE)
INDEX = index_of(ARM, INTEL, platforms=("linux/arm64", "linux/amd64"))
SIGNATURE = image_of(CONFIG, PROOF, subject=INDEX)
SBOM = image_of(CONFIG, LAYER, PROOF, subject=ARM)
MANIFESTS = [ARM, INTEL, INDEX, SIGNATURE, SBOM]
SMALL = index_of(INTEL, platforms=["linux/amd64"])
SMALL_MANIFESTS = [INTEL, SMALL, image_of(CONFIG, PROOF, subject=SMALL)]


def put(store: ImageStore, manifests: Sequence[Manifest], contents: Sequence[bytes], top: Manifest) -> None:
    """Have an image at a place, under the tag."""
    fill(store, manifests, contents)
    store.put_manifest(top, TAG)


def copy(source: ImageStore, destination: ImageStore, **how: Any) -> Copied:
    """Without any pause."""
    with CopyRun(source, destination, How(**how), Untold(), pace=Pace(4, sleep=lambda seconds: None)) as run:
        return run.copy(Wanted(TAG, TAG))


def attempt(source: ImageStore, destination: ImageStore, **how: Any) -> StewardError | None:
    """Copy, and answer what went wrong. Any other error than ours is a mistake."""
    try:
        copy(source, destination, **how)
    except StewardError as error:
        return error
    return None


def require_equal(source: Any, destination: Any, *, referrers: bool) -> None:
    """Whether the tag shows the same at both readers, to the byte, and whether the same refers to each part of it."""
    there, here = whole(source, TAG), whole(destination, TAG)
    assert here == there
    if referrers:
        _require_equal_referrers(source, destination, set(there), set())


def _require_equal_referrers(source: Any, destination: Any, subjects: set[str], seen: set[str]) -> None:
    for subject in sorted(subjects - seen):
        seen.add(subject)
        listed = source.listed(subject)
        assert destination.listed(subject) == listed, f"of {subject}"
        for referrer in listed:
            found = whole(source, referrer)
            assert whole(destination, referrer) == found
            manifests = {digest for digest, content in found.items() if _is_manifest(content)}
            _require_equal_referrers(source, destination, manifests, seen)


def _is_manifest(content: bytes) -> bool:
    try:
        return "schemaVersion" in json.loads(content)
    except (ValueError, TypeError):
        return False
