"""Replication: what an image consists of, what a destination has of it, and the plan that brings the rest.

Everything is copied by digest, what is pointed to before what points to it, and image tags last: a destination
never shows an image tag whose content is incomplete, whatever fails in between.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ecr_steward.domain.images import Manifest, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.plan import AddImageTag, CopyBlob, CopyManifest, Plan, Step
from ecr_steward.domain.rules import ReplicationRules, Rule, TagRules
from ecr_steward.domain.tagging import TagReading


@dataclass(frozen=True)
class ImageGraph:
    """An image with all that belongs to it: children of an index, referrers, their children and referrers."""

    root: Digest
    manifests: tuple[Manifest, ...]
    """Each once; whatever a manifest points to comes before it, referrers after their subject."""


@dataclass(frozen=True)
class DestinationFacts:
    """What a destination holds of an image."""

    repository: RepositoryRef
    manifests: frozenset[Digest] = frozenset()
    blobs: frozenset[Digest] = frozenset()
    """Of the blobs that missing manifests need; those of a manifest that is there are there too."""
    holders: Mapping[ImageTag, Digest] | None = None

    def holder(self, image_tag: ImageTag) -> Digest | None:
        """The image that holds this image tag at the destination."""
        return (self.holders or {}).get(image_tag)


def replicable_tags(
    rule: Rule, replication: ReplicationRules, images: RepositoryImages, digest: Digest
) -> list[ImageTag]:
    """The image tags under which an image is to be copied, sorted. None: the image is not to be copied.

    An image tag that breaks the rule, and the tag of a quarantined image, do not travel, so an image that holds no
    other stays where it is, whether or not its violation has been answered yet.
    """
    reading = TagReading(rule.image_tags or TagRules(), images)
    return sorted(
        tag
        for tag in reading.compliant_tags(digest)
        if not replication.tags or any(pattern.matches(tag) for pattern in replication.tags)
    )


def plan_replication(
    rule: Rule, source: ImageRef, graph: ImageGraph, image_tags: list[ImageTag], destination: DestinationFacts
) -> Plan:
    """Plan what a destination misses of an image."""
    steps = [*_content(rule, source.repository, graph, destination), *_tags(rule, source, image_tags, destination)]
    return Plan(tuple(steps))


def _content(rule: Rule, source: RepositoryRef, graph: ImageGraph, destination: DestinationFacts) -> Iterator[Step]:
    there = set(destination.blobs)
    for manifest in graph.manifests:
        if manifest.digest in destination.manifests:
            continue
        why = f"{destination.repository.registry} has no {manifest.digest}"
        for blob in manifest.stored_blobs:
            if blob.digest not in there:
                there.add(blob.digest)
                yield CopyBlob(rule=rule.name, why=why, source=source, destination=destination.repository, blob=blob)
        yield CopyManifest(
            rule=rule.name, why=why, source=source, destination=destination.repository, manifest=manifest.descriptor
        )


def _tags(rule: Rule, source: ImageRef, image_tags: list[ImageTag], destination: DestinationFacts) -> Iterator[Step]:
    for tag in image_tags:
        holder = destination.holder(tag)
        if holder != source.digest:
            why = f"{tag} is {'missing' if holder is None else 'another image'} at {destination.repository.registry}"
            image = source.in_repository(destination.repository)
            yield AddImageTag(rule=rule.name, why=why, image=image, image_tag=tag, previous=holder)
