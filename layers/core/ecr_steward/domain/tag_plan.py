"""Image tags: what becomes of violations, and where aliases go, as a plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import NOTHING, AddImageTag, DeleteAndRetag, Plan, RemoveImageTag, Step, Violation
from ecr_steward.domain.requirements import Facts
from ecr_steward.domain.rules import Rule
from ecr_steward.domain.tag_rules import AliasMove, OnViolation, TagRules
from ecr_steward.domain.tagging import TagReading, is_quarantine_tag, own_tags, quarantine_tag

_NO_FACTS = Facts()


def plan_image_tags(rule: Rule, images: RepositoryImages, focus: Iterable[Digest], facts: Facts = _NO_FACTS) -> Plan:
    """Plan what brings some images and their tags back to their rule.

    ``focus`` bounds the work of an event to the images it is about, to the aliases they touch, and to the images whose
    alias loses its last version; a sweep passes every image. Applying the plan and planning again gives an empty plan,
    whatever the images were before.
    """
    if rule.image_tags is None:
        return NOTHING
    wanted = rule.image_tags
    faulty = {digest: _faults(rule, digest, images, facts) for digest in set(focus)}
    acts = wanted.on_violation is not OnViolation.NOTIFY
    barred = frozenset(digest for digest, faults in faulty.items() if faults and acts)
    planner = _Planner(rule, TagReading(wanted, images, facts.now, barred))
    judged = sorted(faulty.keys() | planner.reading.left_by_versions)
    for digest in judged:
        planner.answer(digest, faulty.get(digest, ()))
    planner.move_aliases(alias for digest in judged for alias in planner.reading.aliases_touched_by(digest))
    return planner.plan()


def has_to_be_described(rules: TagRules, digest: Digest, images: RepositoryImages, now: datetime | None) -> bool:
    """Whether a rule asks an image for more than image tags.

    It asks what people pull by a tag: neither a referrer or attachment, nor what is in quarantine, nor what looks like
    the part of an index that is still being pushed; and not what somebody has released as it is.
    """
    if not rules.asks_for_content or images.is_released(digest) or images.subject_of(digest) is not None:
        return False
    reading = TagReading(rules, images, now)
    own = own_tags(digest, images)
    return bool(own) and not all(map(reading.awaits_an_index, own))


def _faults(rule: Rule, digest: Digest, images: RepositoryImages, facts: Facts) -> list[Violation]:
    """What is wrong with an image as a whole."""
    image = ImageRef(images.repository, digest)
    found = () if images.is_released(digest) else facts.shortcomings.get(digest, ())
    return [Violation(rule=rule.name, subject=image, why=why) for why in found]


@dataclass
class _Planner:
    rule: Rule
    reading: TagReading
    _steps: list[Step] = field(default_factory=list)
    _violations: list[Violation] = field(default_factory=list)
    _remarks: list[str] = field(default_factory=list)
    _quarantined: set[Digest] = field(default_factory=set)
    """Images that get a quarantine tag."""

    @property
    def _images(self) -> RepositoryImages:
        return self.reading.images

    def plan(self) -> Plan:
        return Plan(tuple(self._steps), tuple(self._violations), tuple(self._remarks))

    def answer(self, digest: Digest, faults: Sequence[Violation]) -> None:
        """Find what is wrong with an image and its tags, and plan the answer of the rule."""
        wrong_tags = self._wrong_tags(digest)
        self._violations += [*wrong_tags, *faults]
        if self.reading.rule.on_violation is OnViolation.NOTIFY:
            return
        if digest in self.reading.barred:
            reasons = {violation.image_tag: violation.why for violation in wrong_tags}
            own = own_tags(digest, self._images)
            self._remark_protected(digest, own)
            doomed = {tag: reasons.get(tag, faults[0].why) for tag in own if not self.reading.rule.protects(tag)}
            if doomed:
                self._take(digest, doomed)
            return
        self._remark_protected(digest, [violation.image_tag for violation in wrong_tags if violation.image_tag])
        doomed = {v.image_tag: v.why for v in wrong_tags if v.image_tag and not self.reading.rule.protects(v.image_tag)}
        if not doomed:
            return
        if self.reading.rule.on_violation is OnViolation.UNTAG and not self._stays_tagged(digest, doomed):
            self._remark_last(", ".join(sorted(doomed)), digest)
            return
        self._take(digest, doomed)

    def move_aliases(self, aliases: Iterable[ImageTag]) -> None:
        """Plan to give each alias to the image that it belongs to."""
        for alias in sorted(set(aliases)):
            digest, version_tag = self.reading.targets[alias]
            holder = self._images.holders.get(alias)
            if holder == digest:
                continue
            if holder is not None and self.reading.rule.protects(alias):
                self._remark_protected(holder, [alias])
                continue
            why = f"{version_tag} is the highest version that {alias} stands for"
            self._steps += self._move(alias, ImageRef(self._images.repository, digest), holder, why)

    def _move(self, alias: ImageTag, image: ImageRef, holder: Digest | None, why: str) -> Iterator[Step]:
        aliases = self.reading.rule.aliases
        if holder is None or aliases is None or aliases.move is AliasMove.RETAG:
            yield AddImageTag(rule=self.rule.name, why=why, image=image, image_tag=alias, previous=holder)
        elif self._stays_tagged(holder, ()):
            yield DeleteAndRetag(rule=self.rule.name, why=why, image=image, image_tag=alias, previous=holder)
        else:
            self._remark_last(alias, holder)

    def _wrong_tags(self, digest: Digest) -> list[Violation]:
        image = ImageRef(self._images.repository, digest)
        return [
            Violation(rule=self.rule.name, subject=image, image_tag=tag, why=why)
            for tag in sorted(self._images.tags_of(digest))
            if (why := self.reading.objection(tag)) is not None
        ]

    def _take(self, digest: Digest, doomed: Mapping[ImageTag, str]) -> None:
        """Plan to take image tags from an image, which gets a quarantine tag first where it would be left without."""
        image = ImageRef(self._images.repository, digest)
        tags = sorted(doomed)
        if not self._stays_tagged(digest, doomed):
            why = f"{doomed[tags[0]]}; the image stays reachable by digest and under this image tag"
            kept = quarantine_tag(digest, self._images)
            self._steps.append(AddImageTag(rule=self.rule.name, why=why, image=image, image_tag=kept))
            self._quarantined.add(digest)
        for tag in tags:
            if tag not in self.reading.targets:  # an alias that another image is to have is moved, not removed
                self._steps.append(RemoveImageTag(rule=self.rule.name, why=doomed[tag], image=image, image_tag=tag))

    def _stays_tagged(self, digest: Digest, without: Iterable[ImageTag]) -> bool:
        """Whether an image keeps a tag that nobody moves: its own, or one that holds it in quarantine.

        An alias does not count: another invocation may move it at any moment, and ECR deletes an image with its last
        tag.
        """
        if digest in self._quarantined:
            return True
        left = self._images.tags_of(digest).difference(without)
        compliant = self.reading.compliant_tags(digest)
        return any(
            is_quarantine_tag(tag, digest)
            or self.reading.rule.protects(tag)
            or (tag in compliant and not self.reading.is_alias(tag))
            for tag in left
        )

    def _remark_last(self, image_tags: str, digest: Digest) -> None:
        self._remarks.append(
            f"{image_tags} of {digest} stays: ECR deletes an image with its last tag, and this one holds no other of "
            "its own"
        )

    def _remark_protected(self, digest: Digest, image_tags: Iterable[ImageTag]) -> None:
        self._remarks += [
            f"{tag} of {digest} stays: the rule protects it"
            for tag in sorted(image_tags)
            if self.reading.rule.protects(tag)
        ]
