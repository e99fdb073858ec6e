"""Repositories for tests of what is taken away, written by hand."""

import hashlib
from dataclasses import replace
from datetime import timedelta

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.contents import Contents
from ecr_steward.domain.images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Image, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import DeleteImage, Plan, RemoveImageTag
from tests.given.rules import API


def digest(name: str) -> Digest:
    """The digest of an image that a test calls so."""
    return Digest(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")


def image(name: str, *tags: str, age: float = 0, pulled: float | None = None, subject: str | None = None) -> Image:
    """An image that was pushed, and perhaps pulled, so many days ago."""
    return Image(
        ImageRef(API, digest(name)),
        frozenset(map(ImageTag, tags)),
        digest(subject) if subject else None,
        OCI_MANIFEST,
        "application/vnd.example.sbom.v1+json" if subject else OCI_CONFIG,
        pushed_at=NOON - timedelta(days=age),
        last_pulled_at=None if pulled is None else NOON - timedelta(days=pulled),
    )


def contents(*images: Image, **indexes: list[str]) -> Contents:
    """A repository; some of its images are indexes that list others, of which ``name:unknown`` is an attestation."""
    children = {digest(name): tuple(map(_child, listed)) for name, listed in indexes.items()}
    of_type = [replace(one, media_type=OCI_INDEX) if one.digest in children else one for one in images]
    return Contents(RepositoryImages.of(API, of_type), children)


def _child(name: str) -> Descriptor:
    name, _, platform = name.partition(":")
    return Descriptor(OCI_MANIFEST, digest(name), 1, "unknown/unknown" if platform else "linux/amd64")


def said(plan: Plan, *names: str) -> list[str]:
    """What a plan takes away, in its order, with images called by these names."""
    called = {digest(name): name for name in names}
    lines = []
    for step in plan.steps:
        match step:
            case DeleteImage(image=ref):
                lines.append(f"delete {called[ref.digest]}")
            case RemoveImageTag(image=ref, image_tag=tag):
                lines.append(f"remove {tag} from {called[ref.digest]}")
            case _:
                lines.append(str(step))
    return lines
