"""Replication: what an image consists of, what a destination has of it, and the plan that brings the rest.

Everything is copied by digest, what is pointed to before what points to it, and image tags last: a destination
never shows an image tag whose content is incomplete, whatever fails in between.
"""

from collections.abc import Iterator, Set

from ecr_steward.domain.images import Holdings, ImageGraph, RepositoryImages
from ecr_steward.domain.names import AnyRepository, Digest, ImageRef, ImageTag, OtherRepository, RepositoryRef
from ecr_steward.domain.plan import AddImageTag, CopyBlob, CopyManifest, Plan, PutImageTag, Step
from ecr_steward.domain.rules import ReplicationRules, Rule
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.tagging import TagReading, attached_to


def replicable_tags(
    rule: Rule, replication: ReplicationRules, images: RepositoryImages, digest: Digest
) -> list[ImageTag]:
    """The image tags under which an image is to be copied, sorted. None: the image is not to be copied.

    An image tag that breaks the rule, and the tag of a quarantined image, do not travel, so an image that holds no
    other stays where it is, whether or not its violation has been answered yet. A referrer is no image of its own; an
    image that is attached to another by its tag's name goes where that other goes.
    """
    reading = TagReading(rule.image_tags or TagRules(), images)

    def own(of: Digest) -> list[ImageTag]:
        return [
            tag
            for tag in reading.compliant_tags(of)
            if attached_to(tag, images) is None
            and (not replication.tags or any(pattern.matches(tag) for pattern in replication.tags))
        ]

    if images.subject_of(digest) is not None:
        return []
    subjects = {tag: attached_to(tag, images) for tag in images.tags_of(digest)}
    follows = [tag for tag, subject in subjects.items() if subject and replication.referrers and own(subject)]
    return sorted([*own(digest), *follows])


def plan_content(
    rule: Rule, source: RepositoryRef, graph: ImageGraph, destination: Holdings, blobs: Set[Digest]
) -> Plan:
    """Plan the blobs and manifests that a destination misses of an image.

    ``blobs`` are those that the destination has, of those that the missing manifests need.
    """
    return Plan(tuple(_content(rule, source, graph, destination, set(blobs))), remarks=graph.remarks)


def plan_tags(rule: Rule, source: ImageRef, image_tags: list[ImageTag], destination: Holdings) -> Plan:
    """Plan the image tags that a destination misses of an image whose content it holds."""
    return Plan(tuple(_tags(rule, source, image_tags, destination)))


def _content(
    rule: Rule, source: RepositoryRef, graph: ImageGraph, destination: Holdings, there: set[Digest]
) -> Iterator[Step]:
    to = destination.repository
    for part in graph.parts:
        is_there = part.manifest.digest in destination.digests
        if is_there and isinstance(destination, RepositoryImages):
            continue  # ECR takes no manifest before its blobs; of others one that is there proves nothing of them
        why = f"{registry_of(to)} has {'not all of' if is_there else 'no'} {part.manifest.digest}"
        for blob in part.blobs:
            if blob.digest not in there:
                there.add(blob.digest)
                yield CopyBlob(rule=rule.name, why=why, source=source, destination=to, blob=blob)
        if not is_there:
            yield CopyManifest(rule=rule.name, why=why, source=source, destination=to, manifest=part.manifest)


def _tags(rule: Rule, source: ImageRef, image_tags: list[ImageTag], destination: Holdings) -> Iterator[Step]:
    to = destination.repository
    for tag in image_tags:
        holder = destination.holders.get(tag)
        if holder == source.digest:
            continue
        why = f"{tag} is {'missing' if holder is None else 'another image'} at {registry_of(to)}"
        if isinstance(to, OtherRepository):
            yield PutImageTag(
                rule=rule.name,
                why=why,
                source=source.repository,
                destination=to,
                digest=source.digest,
                image_tag=tag,
                previous=holder,
            )
        else:
            yield AddImageTag(rule=rule.name, why=why, image=source.in_repository(to), image_tag=tag, previous=holder)


def registry_of(repository: AnyRepository) -> str:
    """The registry that a repository is in, as people write it."""
    return repository.host if isinstance(repository, OtherRepository) else str(repository.registry)
