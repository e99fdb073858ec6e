"""Copy job → manifests, blobs, referrers and image tags at each destination, verified."""

from collections import deque
from collections.abc import Iterator, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import AnyRepository, Digest, ImageRef, OtherRepository, RegistryRef
from ecr_steward.domain.native_copies import LOOK_BACK
from ecr_steward.domain.notices import ImageReplicated
from ecr_steward.domain.one_source import OneSource
from ecr_steward.domain.outcome import Lag, Outcome
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.plan import NOTHING, AddImageTag, Plan, PutImageTag
from ecr_steward.domain.replicas import impossible_places, places
from ecr_steward.domain.replication import registry_of
from ecr_steward.domain.repositories import Part
from ecr_steward.domain.rules import Destination, Mode, Rule, Rules
from ecr_steward.errors import (
    ImageNotFoundError,
    PausedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    ShareUsedError,
    StewardError,
    gravest,
)
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.applying import STEP_SECONDS, Applier
from ecr_steward.usecases.asking import Answers
from ecr_steward.usecases.assessor import Assessor
from ecr_steward.usecases.copier import Copier, Copy, Facts
from ecr_steward.usecases.governing import governed_settings, governing_rules, tags_to_match
from ecr_steward.usecases.leasing import Lessor
from ecr_steward.usecases.reading import once
from ecr_steward.usecases.seen_settings import SettingsMemory
from ecr_steward.usecases.withdraw_replicas import Withdrawal

ROUNDS = 3
"""How often a copy is planned anew while its image changes under it, before the job goes back to its queue."""


def replicate_image(
    image: ImageRef,
    *,
    rules: Rules,
    registry: Registry,
    content: ImageContent,
    scans: Scans,
    notices: Notices,
    now: Clock,
    applier: Applier,
    lessor: Lessor | None = None,
    turn: int = 0,
    told: Set[str] = frozenset(),
    withdraws_only: bool = False,
    is_deep: bool = False,
    after: str = "",
    homes: tuple[RegistryRef, ...] = (),
    memory: SettingsMemory | None = None,
) -> tuple[Outcome, ...]:
    """Bring an image to all destinations of its rule; one outcome for each, or one that says why there is none.

    A referrer stands for its subject. A destination that fails does not keep the image from the others: its outcome
    carries the error. Where only what passed its scan is copied, the verdict is derived here from the findings, and
    once more right before image tags are put: the event that asked for the copy has no say in it. With a ``lessor``
    no two jobs move the content of an image to one destination at the same time. Each ``turn`` begins with another
    destination, so that one which needs all the time there is keeps the image from no other. The copies that are
    ``told`` have failed for good on an earlier turn: they are neither tried nor told once more. ``withdraws_only``
    looks at entries that withdraw what failed alone. What leads to other content is taken for proof that it is there,
    unless the job ``is_deep``. The image comes first, with a share of its referrers; where more
    are left the outcome carries ShareUsedError, and ``after`` is what that said on the turn before: such a turn needs
    the lease of its repository, so that one repository has one of them at a time. ``homes`` are the registries that the
    steward keeps. What ``memory`` knows of a destination's settings is not read again.
    """
    try:
        governing = governing_rules(image.repository, rules, registry)
    except RepositoryNotFoundError:
        return (Outcome(str(image), remark="the repository is gone"),)
    rule = governing.replicate
    if rule is None or not rule.replicate:
        remark = "no rule replicates this repository"
        return (Outcome(str(image), next(iter(governing.names), None), remark=remark),)
    if withdraws_only:
        rule = replace(rule, replicate=tuple(entry for entry in rule.replicate if entry.withdraws_failed))
        if not rule.replicate:
            return (
                Outcome(str(image), rule.name, rule.mode, remark="its rule withdraws nothing that failed its scan"),
            )
    settings = partial(governed_settings, rules=rules, registry=registry, source=image.repository)
    resource_tags = partial(tags_to_match, rules=rules, registry=registry)
    assessor = Assessor(rules, registry, scans, now)
    one_source = OneSource(rules, homes or (image.repository.registry,))
    copier = Copier(
        rules,
        content,
        registry.images,
        settings,
        resource_tags,
        assessor,
        Answers(content),
        one_source,
        once(registry.resource_tags),
        is_deep,
    )
    job = _Job(
        rule=rule,
        copier=copier,
        registry=registry,
        applier=applier,
        notices=notices,
        now=now,
        lessor=lessor,
        turn=turn,
        told=told,
        withdrawal=Withdrawal(rules, homes, None, now, applier),
        after=after,
        memory=memory,
    )
    outcomes: list[Outcome] = []
    pending, done = [image.digest], set[Digest]()
    while pending:
        digest = pending.pop()
        if digest not in done:
            done.add(digest)
            found, moved = job.bring(ImageRef(image.repository, digest))
            outcomes += found
            pending += moved
    return tuple(outcomes)


@dataclass(frozen=True, kw_only=True)
class _Job:
    rule: Rule
    copier: Copier
    registry: Registry
    applier: Applier
    notices: Notices
    now: Clock
    lessor: Lessor | None
    turn: int
    told: Set[str]
    withdrawal: Withdrawal
    after: str
    memory: SettingsMemory | None
    sources: list[RepositoryImages] = field(default_factory=list)
    """What the source held when a copy was found to have arrived."""

    def bring(self, image: ImageRef) -> tuple[list[Outcome], set[Digest]]:
        """Bring one image to all its destinations; a referrer stands for its subject.

        Also answers which images its source tags have moved to meanwhile: at the destination they must move, too.
        """
        nothing = Outcome(str(image), self.rule.name, self.rule.mode)
        try:
            images = self.registry.images(image.repository)
            image = ImageRef(image.repository, images.root_of(image.digest))
            if image.digest not in images.digests:
                return [nothing.remarking("the image is gone, or its subject has not been pushed")], set()
            copies = deque(self.copier.copies(self.rule, image, images))
            copies.rotate(-self.turn)
            outcomes = [*self._impossible(image)]
            outcomes += [self._attempt(copy, None if number else images) for number, copy in enumerate(copies)]
            if not outcomes:
                return [nothing.remarking("no image tag of the image is to be replicated")], set()
            return outcomes, self._moved_meanwhile(image, outcomes)
        except RepositoryNotFoundError:
            return [nothing.remarking("the repository is gone")], set()

    def _impossible(self, image: ImageRef) -> Iterator[Outcome]:
        """The destinations whose names no repository can have: reported once for each job."""
        for error in impossible_places(self.rule.replicate or (), image.repository):
            subject = f"{image}: {error}"
            if subject not in self.told:
                yield Outcome(subject, self.rule.name, self.rule.mode, error=error)

    def _attempt(self, copy: Copy, source: RepositoryImages | None) -> Outcome:
        """Bring an image to one destination. ``source`` is what was read of its repository just now, if anything."""
        mode = self.rule.mode
        done: list[Plan] = []
        error: StewardError | None = None
        lag: Lag | None = None
        if str(copy) in self.told:
            return Outcome(
                str(copy), self.rule.name, mode, remark="it failed for good on an earlier turn, which told of it"
            )
        try:
            if mode is Mode.OBSERVE:
                plan = self.copier.plan(copy)
                return self._withdraw(copy, self.copier.facts(copy)) or Outcome(str(copy), self.rule.name, mode, plan)
            self._require_time()
            facts = self.copier.facts(copy, source)
            if withdrawn := self._withdraw(copy, facts):
                return withdrawn
            if not facts.image_tags:
                remark = None if facts.held_back else "its image tags have gone meanwhile"
                return Outcome(str(copy), self.rule.name, mode, Plan(remarks=facts.held_back), remark=remark)
            with self._own_turn(copy):
                lag, left_after = self._copy(copy, facts, done)
            if left_after:
                said = f"{copy}: the image is there, and more referrers than one turn takes are left"
                error = ShareUsedError(said, after=left_after)
                error.rule = self.rule.name
        except (ImageNotFoundError, RepositoryNotFoundError) as cause:
            if self._is_gone(copy.image):
                return Outcome(str(copy), self.rule.name, mode, remark="the image is gone")
            if isinstance(copy.to, OtherRepository):
                ask = "does the registry make repositories for what is pushed?"
                error = RefusedByRegistryError(f"{copy}: {cause}; {ask}")
            else:
                error = RegistryUnavailableError(f"{copy}: {cause}, although the image is there")
            error.rule = self.rule.name
        except StewardError as cause:
            cause.rule = cause.rule or self.rule.name
            error = cause
        plan = sum(done, start=NOTHING)
        return Outcome(str(copy), self.rule.name, mode, plan, applied=True, error=error, lag=lag)

    def _withdraw(self, copy: Copy, facts: Facts) -> Outcome | None:
        """Take the image from a destination in ECR where it failed its scan, and the entry withdraws it then."""
        there, to = facts.destination, copy.to
        if not copy.replication.withdraws_failed or not isinstance(there, RepositoryImages):
            return None
        if not there.tags_of(copy.image.digest) or isinstance(to, OtherRepository):
            return None
        if (why := self.copier.failure(copy.rule, copy.image.digest, facts.source)) is None:
            return None
        mirror = self.copier.mirror(copy.rule, copy.replication, facts.source, to)
        found = (each for each, place in places(copy.replication, copy.image.repository) if place == to)
        destination = next(each for each in found if isinstance(each, Destination))
        return self.withdrawal.withdraw_failed(mirror, destination, {copy.image.digest: why})

    def _copy(self, copy: Copy, facts: Facts, done: list[Plan]) -> tuple[Lag | None, str]:
        """Apply plan after plan, until the facts, read anew, leave nothing to plan: only that counts as arrived.

        Content first; then the source's image tags are read anew, since copying takes its time, and put at once.
        Answers how far the destination was behind, where it has got the image only now, and after which referrer the
        next turn goes on: the image and its tags are there before that.
        """
        errors: list[StewardError] = []
        is_new = copy.image.digest not in facts.destination.digests
        try:
            self._apply(self._plan_settings(copy, facts), copy, done)
        except StewardError as error:
            if not self._is_there(copy.to):
                raise
            errors.append(error)  # a setting that is refused does not keep the image away
        for _ in range(ROUNDS):
            may_miss = self.copier.may_miss(copy, facts, self.after)
            with self._alone(copy) if may_miss else nullcontext():
                if may_miss and self.lessor is not None:  # another job may have done it meanwhile
                    facts = self._facts_anew(copy, facts.source)
                content, left_after = self.copier.plan_turn(copy, facts, self.after)
                has_copied = self._apply(content, copy, done)
            if has_copied:
                facts = self._facts_anew(copy)
            facts = self.copier.judged_anew(copy, facts)
            has_tagged = self._apply(self.copier.plan_tags(copy, facts), copy, done)
            if not has_copied and not has_tagged:
                self.sources.append(facts.source)
                break
            if left_after:
                break
            facts = self._facts_anew(copy)
        else:
            errors.append(RegistryUnavailableError(f"{copy}: still different after {ROUNDS} rounds"))
        if errors:
            raise gravest(errors)
        if facts.held_back:
            done.append(Plan(remarks=facts.held_back))
        if facts.image_tags:
            notice = ImageReplicated(self.rule.name, copy.image, copy.to, frozenset(facts.image_tags))
            self.notices.publish(notice)
        return self._lag(copy, facts) if is_new and facts.image_tags else None, left_after

    def _plan_settings(self, copy: Copy, facts: Facts) -> Plan:
        """Plan the destination's settings, unless they were in order within the hour and it has images."""
        to = copy.to
        if self.memory is None or isinstance(to, OtherRepository) or not facts.destination.digests:
            return self.copier.plan_settings(copy)
        if self.memory.knows(to):
            return NOTHING
        plan = self.copier.plan_settings(copy)
        if plan.is_empty:
            self.memory.keep(to)
        return plan

    def _facts_anew(self, copy: Copy, source: RepositoryImages | None = None) -> Facts:
        self.copier.answers.forget()
        return self.copier.facts(copy, source)

    def _lag(self, copy: Copy, facts: Facts) -> Lag | None:
        """How far the destination was behind. An image that was old already is brought for another reason than a push.

        Such are a rule that is new, a tag that was moved to it, and a person who has released it.
        """
        image = facts.source.images.get(copy.image.digest)
        if image is None or image.pushed_at is None or (age := self.now() - image.pushed_at) > LOOK_BACK:
            return None
        return Lag(registry_of(copy.to), age.total_seconds())

    def _apply(self, plan: Plan, copy: Copy, done: list[Plan]) -> bool:
        """Apply a plan; answers whether there was anything to do.

        A brake holds settings of the destination only: nothing is taken away by a copy. Where everything is paused the
        job comes again, and then its rule observes.
        """
        halt = self.applier.apply(plan, copy.to)
        if isinstance(halt, Pause):
            raise PausedError(str(halt))
        if halt:
            done.append(Plan(remarks=(str(halt),)))
            return False
        done.append(plan)
        return not plan.is_empty

    def _require_time(self) -> None:
        """Raises OutOfTimeError where there is not enough to begin with a destination."""
        self.applier.pace.deadline.require(STEP_SECONDS)

    def _own_turn(self, copy: Copy) -> AbstractContextManager[None]:
        """Have no other job go on with referrers of this repository meanwhile. Raises CopyUnderWayError likewise."""
        if not self.after or self.lessor is None:
            return nullcontext()
        return self.lessor.leased(f"referrers of {copy.image.repository}")

    def _alone(self, copy: Copy) -> AbstractContextManager[None]:
        """Have no other job move the same content meanwhile. Raises CopyUnderWayError where one does."""
        if self.lessor is None:
            return nullcontext()
        return self.lessor.leased(f"{copy.image.digest} to {copy.to}")

    def _is_gone(self, image: ImageRef) -> bool:
        try:
            return image.digest not in self.registry.images(image.repository).digests
        except RepositoryNotFoundError:
            return True

    def _is_there(self, repository: AnyRepository) -> bool:
        if isinstance(repository, OtherRepository):
            return True  # or is made by what is put there
        try:
            self.registry.repository(repository, {Part.DESCRIPTION})
        except RepositoryNotFoundError:
            return False
        return True

    def _moved_meanwhile(self, image: ImageRef, outcomes: Sequence[Outcome]) -> set[Digest]:
        steps = (step for outcome in outcomes for step in outcome.plan.steps)
        given = {step.image_tag for step in steps if isinstance(step, AddImageTag | PutImageTag)}
        if not given or self.rule.mode is Mode.OBSERVE:
            return set()
        has_failed = any(outcome.error for outcome in outcomes)
        is_known = self.sources and not has_failed
        holders = (self.sources[-1] if is_known else self.registry.images(image.repository)).holders
        return {holders[tag] for tag in given if tag in holders} - {image.digest}
