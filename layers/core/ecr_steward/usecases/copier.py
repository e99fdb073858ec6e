"""Planning copies: one image to one destination, from facts that the caller may read once for many images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ecr_steward.domain.governance import plan_new_repository, plan_repository
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.replication import DestinationFacts, ImageGraph, plan_replication, replicable_tags
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
class Copier:
    """Finds the copies that rules ask for, and plans what each destination misses."""

    rules: Rules
    content: ImageContent
    tagged_images: Callable[[RepositoryRef], RepositoryImages]
    """``Registry.tagged_images``; a sweep remembers its answers."""
    repository: Callable[[RepositoryRef], Repository]
    """``Registry.repository``; likewise."""

    def copies(self, rule: Rule, image: ImageRef) -> Iterator[Copy]:
        """The copies that a rule asks for. None where no image tag of the image is to be replicated."""
        images = self.tagged_images(image.repository)
        for replication in rule.replicate:
            if replicable_tags(rule, replication, images, image.digest):
                for destination in replication.to:
                    to = destination.of(image.repository)
                    if to != image.repository:
                        yield Copy(rule, replication, image, to)

    def plan(self, copy: Copy) -> Plan:
        """Plan a copy from the facts as they are now. Raises ImageNotFoundError and RepositoryNotFoundError."""
        images = self.tagged_images(copy.image.repository)
        image_tags = replicable_tags(copy.rule, copy.replication, images, copy.image.digest)
        if not image_tags:
            return NOTHING
        graph = read_graph(copy.image, self.content, with_referrers=copy.replication.referrers)
        settings, exists = self._plan_destination(copy)
        facts = self._facts(graph, copy.to) if exists else DestinationFacts(copy.to)
        return settings + plan_replication(copy.rule, copy.image, graph, image_tags, facts)

    def _plan_destination(self, copy: Copy) -> tuple[Plan, bool]:
        """A destination repository has the settings of the rule that covers it, from its first image on."""
        governing = self.rules.rule_for(copy.to)
        try:
            actual = self.repository(copy.to)
        except RepositoryNotFoundError:
            why = f"{copy.image.repository} is replicated to {copy.to.registry}"
            return plan_new_repository(governing, copy.to, asked_by=copy.rule.name, why=why), False
        if governing is None or governing.mode is Mode.OBSERVE:
            return NOTHING, True
        return plan_repository(governing, actual), True

    def _facts(self, graph: ImageGraph, to: RepositoryRef) -> DestinationFacts:
        manifests = frozenset(m.digest for m in graph.manifests if self.content.has_manifest(to, m.digest))
        needed = {blob.digest for m in graph.manifests if m.digest not in manifests for blob in m.stored_blobs}
        blobs = frozenset(digest for digest in sorted(needed) if self.content.has_blob(to, digest))
        return DestinationFacts(to, manifests, blobs, self.tagged_images(to).holders)
