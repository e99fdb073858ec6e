"""Sweep → images and image tags that have had their time, where ECR's own lifecycle policy cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.expiry import plan_tag_expiry
from ecr_steward.domain.images import INDEX_MEDIA_TYPES, Descriptor, RepositoryImages
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.observations import Push
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.removals import Planner, plan_removals
from ecr_steward.domain.retention import Keeping, plan_retention
from ecr_steward.domain.retention_rules import RetentionRules, Use
from ecr_steward.domain.rules import Governing, Mode, Rule, Rules
from ecr_steward.domain.sightings import Sighted, renew
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.usage import NOT_ASKED, Usage, UsedImage
from ecr_steward.errors import (
    StewardError,
    gravest,
)
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.sightings import Sightings
from ecr_steward.ports.workloads import Workloads
from ecr_steward.usecases.applying import Applier, carry_out


@dataclass(frozen=True)
class RetentionFacts:
    """Where retention gets its facts from. A source that is ``None`` is not asked, and nothing goes that needs it."""

    registry: Registry
    now: Clock
    sightings: Sightings | None = None
    workloads: Workloads | None = None


def retain_images(
    governing: Governing, images: RepositoryImages, facts: RetentionFacts, applier: Applier, *, is_dry: bool = False
) -> tuple[Outcome, ...]:
    """Let go of what has had its time. Each rule that speaks of it has an outcome, where it has something to say.

    ``images`` are those of the repository as they are now. What fails in the plan of one rule keeps the next one from
    being tried, since that may build on it.
    """
    outcomes: list[Outcome] = []
    for planned in plan_repository_retention(governing, images, facts, is_dry=is_dry):
        if is_dry or planned.mode is Mode.OBSERVE or planned.plan.is_empty:
            outcomes.append(applier.foresee(planned, images.repository, images) if is_dry else planned)
            continue
        outcome = carry_out(planned, images, applier)
        outcomes.append(outcome)
        if not outcome.applied or outcome.plan is not planned.plan:  # not at all, or not all of it
            break
    return tuple(outcomes)


def plan_repository_retention(
    governing: Governing, images: RepositoryImages, facts: RetentionFacts, *, is_dry: bool = False
) -> tuple[Outcome, ...]:
    """What goes from a repository, as outcomes that are still to be carried out, in their order.

    Asks for more only when something would go: what indexes list, then who uses images. Notes when the image tags were
    seen that an expiry speaks about, unless it ``is_dry``. Raises what reading the registry raises.
    """
    return _Visit(governing, images, facts).plan(is_dry)


def asks_for_retention(governing: Governing, repository: RepositoryRef) -> bool:
    """Whether there is anything for ``retain_images`` to do, whatever the repository holds."""
    tags = _tag_rules(governing.image_tags) if governing.image_tags else TagRules()
    return bool(tags.expire or _retention_of(governing, repository)[1].expires)


def note_push(push: Push, *, rules: Rules, sightings: Sightings) -> None:
    """Start the clock of a pushed image tag anew, where an expiry may speak about it: a push is a sign of life.

    Which rule governs the repository is not asked, as the next sweep forgets what nobody needs.
    """
    if push.image_tag is None or push.at is None:
        return
    covering = [rule for rule in rules.rules if rule.match.may_cover(push.image.repository)]
    if covering and rules.defaults:
        covering.append(rules.defaults)
    if any(expiry.selects(push.image_tag) for rule in covering for expiry in _tag_rules(rule).expire):
        sightings.restart(push.image.repository, push.image_tag, push.image.digest, push.at)


class _Visit:
    def __init__(self, governing: Governing, images: RepositoryImages, facts: RetentionFacts) -> None:
        self._images = images
        self._facts = facts
        self._now = facts.now()
        self._tag_rule = governing.image_tags
        self._tags = _tag_rules(self._tag_rule) if self._tag_rule else TagRules()
        self._retaining, self._retention = _retention_of(governing, images.repository)
        self._errors: list[StewardError] = []
        """What could not be read of that on which all rules lean."""

    def plan(self, is_dry: bool) -> tuple[Outcome, ...]:
        planners: list[Planner] = []
        outcomes: list[Outcome] = []
        if (rule := self._tag_rule) is not None and self._tags.expire:
            try:
                planners.append((rule, self._expiring(rule, self._sighted(is_dry))))
            except StewardError as error:
                outcome = Outcome(str(self._images.repository), rule.name, rule.mode, error=error)
                outcomes.append(outcome.remarking("no image tag expires: since when each is where it is, is not known"))
        if self._retaining is not None and self._retention.expires:
            planners.append((self._retaining, self._retaining_images(self._retaining)))
        return (*outcomes, *self._outcomes(planners))

    def _outcomes(self, planners: list[Planner]) -> tuple[Outcome, ...]:
        """Plan with as few facts as will do. Each further one only ever makes images stay."""
        self._keeping = Keeping(self._now, self._retention.keeps, self._tags.protect, asks=False)
        contents = Contents(self._images)
        if not planners or not plan_removals(planners, contents):
            return ()
        contents = self._with_children()
        plans = plan_removals(planners, contents)
        asked = frozenset[Use]().union(*(keep.in_use for keep in self._retention.keeps))
        if asked and any(plan.steps for _, plan in plans):
            self._keeping = replace(self._keeping, asks=True, usage=self._usage(asked))
            plans = plan_removals(planners, contents)
        error = gravest(self._errors) if self._errors else None
        subject = str(self._images.repository)
        outcomes = [Outcome(subject, rule.name, rule.mode, plan) for rule, plan in plans]
        return (*(replace(each, error=error) for each in outcomes[:1]), *outcomes[1:])  # it is reported once

    def _expiring(self, rule: Rule, sighted: Sighted) -> Callable[[Contents], Plan]:
        return lambda contents: plan_tag_expiry(rule.name, self._tags, contents, sighted, self._keeping)

    def _retaining_images(self, rule: Rule) -> Callable[[Contents], Plan]:
        return lambda contents: plan_retention(rule.name, self._retention, contents, self._keeping)

    def _sighted(self, is_dry: bool) -> Sighted:
        """Since when each tag is where it is, noted for the next time."""
        sightings, repository = self._facts.sightings, self._images.repository
        if sightings is None:
            return {}
        renewal = renew(sightings.seen(repository), self._tags, self._images, self._now)
        if renewal.written and not is_dry:
            sightings.keep(repository, renewal.written)
        if renewal.gone and not is_dry:
            sightings.forget(repository, renewal.gone)
        return renewal.sighted

    def _with_children(self) -> Contents:
        """The repository with what its indexes list. Where that is not known of one, what it may list stays."""
        indexes = [digest for digest, image in self._images.images.items() if _may_be_an_index(image.media_type)]
        children: dict[Digest, tuple[Descriptor, ...]] = {}
        unreadable: dict[Digest, str] = {}
        if indexes:
            for index, listed in self._facts.registry.children(self._images.repository, indexes).items():
                if isinstance(listed, StewardError):
                    self._errors.append(listed)
                    unreadable[index] = f"what the index {index} lists cannot be read: {listed}"
                else:
                    children[index] = listed
        self._keeping = replace(self._keeping, unreadable=unreadable)
        return Contents(self._images, children)

    def _usage(self, asked: frozenset[Use]) -> Usage:
        """Who uses what. Of a source that does not answer, or is not there to be asked, nothing is known."""
        workloads = self._facts.workloads
        if workloads is None:
            return Usage(unread=dict.fromkeys(asked, "nobody was asked here"))
        repository = self._images.repository
        usage = NOT_ASKED
        for source in sorted(asked):
            try:
                if source is Use.INSPECTOR:
                    usage = replace(usage, counts=workloads.counted_by_inspector(repository))
                else:
                    read = workloads.run_by_ecs if source is Use.ECS else workloads.run_by_lambda
                    usage = replace(
                        usage, used={**usage.used, source: _here(read(repository.registry.region), repository)}
                    )
            except StewardError as error:
                self._errors.append(error)
                usage = replace(usage, unread={**usage.unread, source: str(error)})
        return usage


def _retention_of(governing: Governing, repository: RepositoryRef) -> tuple[Rule | None, RetentionRules]:
    """The rule that says how long images stay, and what it says."""
    for rule in governing.settings:
        if rule.repository and (retention := rule.repository(repository.registry).retention):
            return rule, retention
    return None, RetentionRules()


def _tag_rules(rule: Rule) -> TagRules:
    return rule.image_tags or TagRules()


def _may_be_an_index(media_type: str | None) -> bool:
    return media_type is None or media_type in INDEX_MEDIA_TYPES


def _here(used: tuple[UsedImage, ...], repository: RepositoryRef) -> tuple[UsedImage, ...]:
    return tuple(one for one in used if one.repository == repository)
