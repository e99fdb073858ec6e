"""Planning copies: one image to one destination, from facts that the caller may read once for many images."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from ecr_steward.domain.copies_behind import RESOURCE_TAG, is_too_far, resource_tags_of_copies
from ecr_steward.domain.governance import plan_new_repository, plan_repository
from ecr_steward.domain.images import INDEX_MEDIA_TYPES, Holdings, OtherImages, RepositoryImages
from ecr_steward.domain.names import (
    AnyRepository,
    Digest,
    ImageRef,
    ImageTag,
    OtherRepository,
    RepositoryRef,
)
from ecr_steward.domain.one_source import LONGEST_CHAIN, Objection, OneSource
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.replicas import places
from ecr_steward.domain.replication import plan_content, plan_tags, replicable_tags
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Condition, Governing, Mode, ReplicationRules, Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.tagging import TagReading, attached_to, is_attachment, is_in_quarantine
from ecr_steward.domain.verdict import bounded, is_top_image
from ecr_steward.domain.withdrawals import Mirror
from ecr_steward.errors import InvalidNameError, RepositoryNotFoundError
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.asking import Answers
from ecr_steward.usecases.assessor import Assessor
from ecr_steward.usecases.governing import governing_new
from ecr_steward.usecases.image_graph import read_graph
from ecr_steward.usecases.reading import once
from ecr_steward.usecases.stores import is_held, store_of
from ecr_steward.usecases.turns import Turn, TurnReader

LONGEST_IMAGE_TAG = 128
"""Characters of an image tag beside ECR, which takes 300 (distribution specification, "Pulling manifests")."""


@dataclass(frozen=True)
class Copy:
    """One image, its rule, and one destination of it."""

    rule: Rule
    replication: ReplicationRules
    image: ImageRef
    to: AnyRepository

    def __str__(self) -> str:
        return f"{self.image} to {self.to}"


@dataclass(frozen=True)
class Facts:
    """What the source repository and the destination hold at one moment; one listing of each serves all plans."""

    source: RepositoryImages
    destination: Holdings
    image_tags: list[ImageTag]
    """Those that the image is to hold at the destination; none where it does not meet the conditions."""
    held_back: tuple[str, ...] = ()
    """Why image tags are missing among them, one sentence each."""


@dataclass(frozen=True)
class Copier:
    """Finds the copies that rules ask for, and plans what each destination misses.

    The plans raise ImageNotFoundError and RepositoryNotFoundError for what has gone at the source.
    """

    rules: Rules
    content: ImageContent
    images: Callable[[RepositoryRef], RepositoryImages]
    """``Registry.images``; a sweep remembers its answers."""
    settings: Callable[[RepositoryRef], tuple[Governing, Repository]]
    """``governed_settings``; likewise."""
    resource_tags: Callable[[RepositoryRef], Mapping[str, str]]
    """``tags_to_match``; likewise."""
    assessor: Assessor
    """Judges an image only where a copy waits for the verdict; once, until image tags are to be put."""
    answers: Answers
    """Of registries that are not ECR."""
    one_source: OneSource
    """Says which copies would meet others, come back, or run away."""
    carried: Callable[[RepositoryRef], Mapping[str, str]]
    """``Registry.resource_tags``; likewise. Asked only of a source whose destination is not there."""
    is_deep: bool = False
    """Whether each manifest is looked for at a destination, although what leads to it is there."""

    def copies(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> Iterator[Copy]:
        """The copies that a rule asks for. None where no image tag of the image is to be replicated.

        Without destinations of an impossible name: see ``impossible_places``.
        """
        for replication in rule.replicate or ():
            if replicable_tags(rule, replication, images, image.digest):
                for _, to in places(replication, image.repository):
                    if not isinstance(to, InvalidNameError) and to != image.repository:
                        yield Copy(rule, replication, image, to)

    def facts(self, copy: Copy, source: RepositoryImages | None = None) -> Facts:
        """Read what both ends hold, or the destination alone. Raises RepositoryNotFoundError for the source."""
        source = source or self.images(copy.image.repository)
        if objection := self.objection(copy):
            return Facts(source, RepositoryImages(copy.image.repository), [], (str(objection),))
        meeting, held_back = self._fulfilling(copy, source)
        try:
            destination = self._holdings(copy.to, meeting)
        except RepositoryNotFoundError:
            if is_too_far(self.carried(copy.image.repository)):
                return Facts(source, RepositoryImages(copy.image.repository), [], (self._too_far(copy),))
            destination = RepositoryImages(cast("RepositoryRef", copy.to))
        image_tags, forbidden = self._allowed_there(copy, meeting, destination)
        return Facts(source, destination, image_tags, (*held_back, *forbidden))

    def objection(self, copy: Copy) -> Objection | None:
        """Why nothing at all is copied from this repository to that place."""
        return self.one_source.objection(copy.rule, copy.replication, copy.image.repository, copy.to)

    def plan(self, copy: Copy, *, with_settings: bool = True) -> Plan:
        """Plan the whole copy, or the image alone: a sweep looks at the settings of destinations by themselves."""
        facts = self.facts(copy)
        if not facts.image_tags:
            return Plan(remarks=facts.held_back)
        settings = self.plan_settings(copy) if with_settings else NOTHING
        return settings + self.plan_content(copy, facts) + self.plan_tags(copy, facts)

    def plan_settings(self, copy: Copy) -> Plan:
        """Plan the destination repository, which has its settings from its first image on.

        They are those of the rules that cover it, or of its source where none does. Registries that are not ECR make
        repositories by themselves, and have no settings that a rule knows.
        """
        to = copy.to
        if isinstance(to, OtherRepository):
            return NOTHING
        try:
            governing, actual = self.settings(to)
        except RepositoryNotFoundError:
            why = f"{copy.image.repository} is replicated to {to.registry}"
            enforced = _enforced(governing_new(to, copy.image.repository, self.rules, self.resource_tags))
            carried = resource_tags_of_copies(self.carried(copy.image.repository))
            return plan_new_repository(enforced, to, asked_by=copy.rule.name, why=why, resource_tags=carried)
        return sum((plan_repository(rule, actual) for rule in _enforced(governing)), start=NOTHING)

    def plan_content(self, copy: Copy, facts: Facts) -> Plan:
        """Plan the blobs and manifests of the image and of what belongs to it, as far as one turn takes them."""
        return self.plan_turn(copy, facts)[0]

    def plan_turn(self, copy: Copy, facts: Facts, after: str = "") -> tuple[Plan, str]:
        """The same from a place among its referrers on; and where the next turn goes on, empty where there is none."""
        there = facts.destination
        if not self.may_miss(copy, facts, after):
            return NOTHING, ""
        source, judged = copy.image.repository, self._judged(copy, facts.source)
        store = self.content.store(source)
        if copy.replication.referrers:
            turn = TurnReader(store, facts.source, judged).read(copy.image.digest, there.digests, after)
        else:
            turn = Turn(read_graph(copy.image.digest, store, with_referrers=False, judged=judged))
        parts = turn.graph.parts
        if isinstance(there, OtherImages):
            digests = self.answers.there(there.repository, (part.manifest.digest for part in parts))
            there = replace(there, digests=digests)
        else:
            parts = tuple(part for part in parts if part.manifest.digest not in there.digests)
        needed = sorted({blob.digest for part in parts for blob in part.blobs})
        plan = plan_content(copy.rule, source, turn.graph, there, self._held(copy.to, needed))
        return plan, turn.left_after

    def may_miss(self, copy: Copy, facts: Facts, after: str = "") -> bool:
        """Whether the destination may lack content. What it lacks, if anything, only ``plan_turn`` finds out."""
        asks_for_each = bool(after) and isinstance(facts.destination, OtherImages)  # of thousands, on each turn
        return bool(facts.image_tags) and (asks_for_each or not self._is_whole(copy, facts))

    def _judged(self, copy: Copy, source: RepositoryImages) -> Collection[Digest] | None:
        """What of an image has a verdict, where a copy waits for one: nothing of what is attached to another."""
        if Condition.SCAN_PASSED not in copy.replication.when:
            return None
        return self.assessor.parts(copy.image, source) if is_top_image(copy.image.digest, source) else ()

    def _is_whole(self, copy: Copy, facts: Facts) -> bool:
        """Whether all that an image consists of is at its destination, as far as what is known already says."""
        if self.is_deep:
            return False
        if isinstance(facts.destination, RepositoryImages):
            return self._is_listed(copy, facts.source, facts.destination)
        if any(facts.destination.holders.get(tag) != copy.image.digest for tag in facts.image_tags):
            return False
        # Tags are put last, so what they hold is there; but for referrers, which may have been pushed since.
        return not copy.replication.referrers or self._has_referrers(facts, facts.destination.repository, copy.image)

    def _is_listed(self, copy: Copy, source: RepositoryImages, there: RepositoryImages) -> bool:
        """The same, as both listings say.

        ECR takes no index before its children (ReferencedImagesNotFoundException) and deletes none of them before it
        (ImageReferencedByManifestList), so an image that is there has what it leads to. Not so what refers to it. Which
        index a child belongs to no listing says: where a referrer of some child is missing, no index is sure.
        """
        image = copy.image.digest
        if image not in there.digests or not copy.replication.referrers:
            return image in there.digests
        if not {each.digest for each in source.below({image})} <= there.digests:
            return False
        media_type = source.images[image].media_type if image in source.images else None
        may_have_children = media_type is None or media_type in INDEX_MEDIA_TYPES
        return not may_have_children or self._has_all_of_children(source, there)

    @cached_property
    def _has_all_of_children(self) -> Callable[[RepositoryImages, RepositoryImages], bool]:
        """Whether what refers to untagged images of a destination is there, too: one answer for many images."""
        last: list[tuple[RepositoryImages, RepositoryImages, bool]] = []

        def answer(source: RepositoryImages, there: RepositoryImages) -> bool:
            for before, to, answered in last:
                if before is source and to is there:
                    return answered
            untagged = (digest for digest in source.with_subject.keys() & there.digests if not source.tags_of(digest))
            answered = all({each.digest for each in source.below({root})} <= there.digests for root in untagged)
            last[:] = [(source, there, answered)]
            return answered

        return answer

    def _has_referrers(self, facts: Facts, to: OtherRepository, image: ImageRef) -> bool:
        """Whether what refers to an image, or to a child of one that is there, is there, too."""
        of_untagged = facts.source.referrers_of_untagged
        children = self.answers.there(to, of_untagged.values())
        of_children = (each for each, root in of_untagged.items() if root in children)
        wanted = [*facts.source.referrers_of(image.digest), *of_children]
        return len(self.answers.there(to, wanted)) == len(wanted)

    def plan_tags(self, copy: Copy, facts: Facts) -> Plan:
        """Plan the image tags. To be applied at once, and only when the content is there."""
        return plan_tags(copy.rule, copy.image, facts.image_tags, facts.destination)

    def judged_anew(self, copy: Copy, facts: Facts) -> Facts:
        """The same facts with a verdict of this moment, where image tags are about to be put that wait for one."""
        if Condition.SCAN_PASSED not in copy.replication.when or self.plan_tags(copy, facts).is_empty:
            return facts
        self.assessor.forget_verdicts()
        meeting, held_back = self._fulfilling(copy, facts.source)
        image_tags, forbidden = self._allowed_there(copy, meeting, facts.destination)
        return replace(facts, image_tags=image_tags, held_back=(*held_back, *forbidden))

    def ask_ahead(self, copies: Iterable[Copy], source: RepositoryImages) -> None:
        """Ask for the image tags of many copies at once. Raises StewardError."""
        wanted: dict[OtherRepository, list[ImageTag]] = {}
        for copy in copies:
            if isinstance(copy.to, OtherRepository):
                tags = replicable_tags(copy.rule, copy.replication, source, copy.image.digest)
                wanted.setdefault(copy.to, []).extend(tag for tag in tags if len(tag) <= LONGEST_IMAGE_TAG)
        for to, tags in wanted.items():
            if not self.answers.is_silent(to):
                self.answers.holders(to, tags)

    def _holdings(self, repository: AnyRepository, image_tags: Sequence[ImageTag]) -> Holdings:
        if isinstance(repository, OtherRepository):
            holders = self.answers.holders(repository, image_tags)
            return OtherImages(repository, holders, frozenset(holders.values()))
        return self.images(repository)

    def _too_far(self, copy: Copy) -> str:
        """Why no repository is made: stewards with other rulebooks have copied the images on and on."""
        return (
            f"{copy.to} is not there, and not created: the resource tag {RESOURCE_TAG} of {copy.image.repository} says "
            f"that {LONGEST_CHAIN} copies or more are behind it; expected a `match` without it, or the repository "
            "created by you"
        )

    def _held(self, repository: AnyRepository, blobs: Sequence[Digest]) -> set[Digest]:
        """Those of these blobs that a repository has."""
        if not blobs:
            return set()
        store = store_of(self.content, repository)
        known = store.known_blobs(blobs)
        return {blob for blob in blobs if is_held(blob, known, store)}

    def _fulfilling(self, copy: Copy, source: RepositoryImages) -> tuple[list[ImageTag], tuple[str, ...]]:
        """The replicable image tags that are to be at the destination, and why others are not."""
        image_tags = replicable_tags(copy.rule, copy.replication, source, copy.image.digest)
        meeting, reasons = self._meeting_conditions(copy, source, image_tags)
        if not isinstance(copy.to, OtherRepository):
            return meeting, reasons
        long = [tag for tag in meeting if len(tag) > LONGEST_IMAGE_TAG]
        told = tuple(f"{tag} is longer than registries beside ECR take" for tag in long)
        return [tag for tag in meeting if tag not in long], (*reasons, *told)

    def _allowed_there(
        self, copy: Copy, image_tags: list[ImageTag], there: Holdings
    ) -> tuple[list[ImageTag], tuple[str, ...]]:
        """The image tags that the destination's own rule lets stay, and why others are not put there.

        Else each sweep would put there what each sweep takes away. What is wrong with an image as a whole is known by
        its quarantine.
        """
        if not isinstance(there, RepositoryImages) or not image_tags:
            return image_tags, ()
        if is_in_quarantine(copy.image.digest, there):
            return [], (f"{copy.image.digest} is in quarantine at {there.repository}; a release there lets it through",)
        rule = self._rules_there(there.repository)
        if rule is None or rule.mode is not Mode.ENFORCE:
            return image_tags, ()
        reading = TagReading(rule.image_tags or TagRules(), there)
        objections = {tag: None if is_attachment(tag) else reading.objection_to_name(tag) for tag in image_tags}
        reasons = [f"by the rule {rule.name} of {there.repository}, {why}" for why in objections.values() if why]
        return [tag for tag in image_tags if objections[tag] is None], tuple(reasons)

    @cached_property
    def _rules_there(self) -> Callable[[RepositoryRef], Rule | None]:
        """The rule that decides which image tags a destination may hold; found once for all images."""

        def deciding(to: RepositoryRef) -> Rule | None:
            try:
                return self.rules.governing(to, self.resource_tags(to)).image_tags
            except RepositoryNotFoundError:
                return self.rules.governing(to, {}).image_tags

        return once(deciding)

    def _meeting_conditions(
        self, copy: Copy, source: RepositoryImages, image_tags: list[ImageTag]
    ) -> tuple[list[ImageTag], tuple[str, ...]]:
        """Those that meet the conditions of the entry, and why others do not.

        An image that is attached to another by its tag's name goes where that other goes, so it waits for that one's
        verdict: no scanner makes anything of a signature.
        """
        if Condition.SCAN_PASSED not in copy.replication.when:
            return image_tags, ()
        subjects = {tag: attached_to(tag, source) or copy.image.digest for tag in image_tags}
        objections = {digest: self._objection(copy.rule, digest, source) for digest in sorted(set(subjects.values()))}
        meeting = [tag for tag in image_tags if objections[subjects[tag]] is None]
        return meeting, tuple(objection for objection in objections.values() if objection)

    def failure(self, rule: Rule, digest: Digest, source: RepositoryImages) -> str | None:
        """Why a top image of the source fails its scan; ``None`` where it does not, or not yet."""
        if rule.scan is None or not is_top_image(digest, source):
            return None
        if self.assessor.has_passed(rule, ImageRef(source.repository, digest)):
            return None
        assessment = self.assessor.assess(rule, digest, source)
        if assessment.verdict is not Verdict.FAIL:
            return None
        return f"{digest} failed its scan: {'; '.join(bounded(assessment.reasons))}"

    def mirror(self, rule: Rule, replication: ReplicationRules, source: RepositoryImages, to: RepositoryRef) -> Mirror:
        """Both ends of an entry. Raises RepositoryNotFoundError where the destination is not there."""
        own = self.settings(to)[0].image_tags
        return Mirror(rule, replication, source, self.images(to), own.image_tags if own else None)

    def _objection(self, rule: Rule, digest: Digest, source: RepositoryImages) -> str | None:
        """Why an image is not copied where only those go that passed their scan."""
        if rule.scan is None:
            return "only what passed its scan is copied, but the rule has no `scan` that says what passes"
        if self.assessor.has_passed(rule, ImageRef(source.repository, digest)):
            return None
        assessment = self.assessor.assess(rule, digest, source)
        reasons = "; ".join(bounded(assessment.reasons))
        match assessment.verdict:
            case Verdict.PASS:
                return None
            case Verdict.WAIT:
                return f"{digest} waits for its scan: {reasons}"
            case Verdict.FAIL:
                return f"{digest} did not pass its scan: {reasons}"


def _enforced(governing: Governing) -> list[Rule]:
    return [rule for rule in governing.settings if rule.mode is Mode.ENFORCE]
