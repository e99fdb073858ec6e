"""Planning copies: one image to one destination, from facts that the caller may read once for many images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ecr_steward.domain.governance import plan_new_repository, plan_repository
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.replication import plan_content, plan_tags, replicable_tags
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Mode, ReplicationRules, Rule, Rules
from ecr_steward.errors import RepositoryNotFoundError
from ecr_steward.ports.registry import ImageContent
from ecr_steward.usecases.image_graph import read_graph


@dataclass(frozen=True)
class Copy:
    """One image, its rule, and one destination of it."""

    rule: Rule
    replication: ReplicationRules
    image: ImageRef
    to: RepositoryRef

    def __str__(self) -> str:
        return f"{self.image} to {self.to}"


@dataclass(frozen=True)
class Facts:
    """What the source repository and the destination hold at one moment; one listing of each serves all plans."""

    source: RepositoryImages
    destination: RepositoryImages

    def tags(self, copy: Copy) -> list[ImageTag]:
        """The image tags that the image is to hold at the destination."""
        return replicable_tags(copy.rule, copy.replication, self.source, copy.image.digest)


@dataclass(frozen=True)
class Copier:
    """Finds the copies that rules ask for, and plans what each destination misses.

    The plans raise ImageNotFoundError and RepositoryNotFoundError for what has gone at the source.
    """

    rules: Rules
    content: ImageContent
    images: Callable[[RepositoryRef], RepositoryImages]
    """``Registry.images``; a sweep remembers its answers."""
    repository: Callable[[RepositoryRef], Repository]
    """``Registry.repository``; likewise."""

    def copies(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> Iterator[Copy]:
        """The copies that a rule asks for. None where no image tag of the image is to be replicated."""
        for replication in rule.replicate:
            if replicable_tags(rule, replication, images, image.digest):
                for destination in replication.to:
                    to = destination.of(image.repository)
                    if to != image.repository:
                        yield Copy(rule, replication, image, to)

    def facts(self, copy: Copy) -> Facts:
        """Read what both ends hold. Raises RepositoryNotFoundError for the source."""
        try:
            destination = self.images(copy.to)
        except RepositoryNotFoundError:
            destination = RepositoryImages(copy.to)
        return Facts(self.images(copy.image.repository), destination)

    def plan(self, copy: Copy) -> Plan:
        """Plan the whole copy."""
        facts = self.facts(copy)
        return self.plan_settings(copy) + self.plan_content(copy, facts) + self.plan_tags(copy, facts)

    def plan_settings(self, copy: Copy) -> Plan:
        """Plan the destination repository: it has the settings of the rule that covers it from its first image on."""
        governing = self.rules.rule_for(copy.to)
        if governing is not None and governing.mode is Mode.OBSERVE:
            governing = None
        try:
            actual = self.repository(copy.to)
        except RepositoryNotFoundError:
            why = f"{copy.image.repository} is replicated to {copy.to.registry}"
            return plan_new_repository(governing, copy.to, asked_by=copy.rule.name, why=why)
        return plan_repository(governing, actual) if governing else NOTHING

    def plan_content(self, copy: Copy, facts: Facts) -> Plan:
        """Plan the blobs and manifests of the image and of all that belongs to it."""
        there = facts.destination
        if not facts.tags(copy) or facts.source.digests <= there.digests:
            return NOTHING  # whatever the image consists of is in its repository, and all of that is there
        source = copy.image.repository
        graph = read_graph(copy.image, self.content, with_referrers=copy.replication.referrers)
        missing = [part for part in graph.parts if part.manifest.digest not in there.digests]
        needed = {blob.digest for part in missing for blob in part.blobs}
        blobs = {digest for digest in sorted(needed) if self.content.has_blob(copy.to, digest)}
        return plan_content(copy.rule, source, graph, there, blobs)

    def plan_tags(self, copy: Copy, facts: Facts) -> Plan:
        """Plan the image tags. To be applied at once, and only when the content is there."""
        return plan_tags(copy.rule, copy.image, facts.tags(copy), facts.destination)
