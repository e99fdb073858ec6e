"""Push → allowed image tags, moving aliases, an answer to violations."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.notices import ViolationFound
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.own_tags import OwnTag
from ecr_steward.domain.plan import AddImageTag, DeleteAndRetag, Plan, RemoveImageTag, Violation
from ecr_steward.domain.rules import Mode, Rule, Rules
from ecr_steward.domain.tag_plan import plan_image_tags
from ecr_steward.domain.tag_rules import AliasMove, OnViolation
from ecr_steward.domain.tagging import is_quarantine_tag
from ecr_steward.errors import (
    ImageNotFoundError,
    ImageTagIsImmutableError,
    RepositoryNotFoundError,
    StewardError,
    gravest,
)
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.ports.registry import Registry
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.governing import governing_rules

ROUNDS = 3
"""How often the image tags are planned anew while others change them, before the next sweep is left with them."""


@dataclass(frozen=True)
class OwnPuts:
    """Where the image tags are noted that an invocation puts, since it looks at them afterwards by itself."""

    own_tags: OwnTags
    now: Clock

    def note(self, plan: Plan) -> None:
        """Note what a plan is about to put."""
        for step in plan.steps:
            if isinstance(step, AddImageTag | DeleteAndRetag):
                self.own_tags.note(step.image.repository, step.image_tag, OwnTag(step.image.digest, self.now()))


def enforce_image_tags(
    image: ImageRef,
    *,
    rules: Rules,
    registry: Registry,
    describer: Describer,
    notices: Notices,
    applier: Applier,
    own_puts: OwnPuts | None = None,
) -> Outcome:
    """Bring the image tags of one image, and the aliases it touches, back to their rule.

    What was pushed is only a hint: the image tags are read anew, so a late or repeated call does no harm. With
    ``own_puts`` the events of what is put here are not answered: the image tags are read once more afterwards.
    """
    nothing = Outcome(str(image))
    try:
        governing = governing_rules(image.repository, rules, registry)
        rule = governing.image_tags
        if rule is None:
            nothing = replace(nothing, rule=next(iter(governing.names), None))
            return nothing.remarking("no rule speaks of this repository's image tags")
        nothing = Outcome(str(image), rule.name, rule.mode)
        images = registry.images(image.repository)
        if image.digest not in images.digests:
            return nothing.remarking("the image is gone")
        enforcing = _Enforcing(rule, registry, describer, notices, applier, own_puts)
        # A signature or SBOM may be what its subject's rule has asked for.
        outcome = enforcing.bring(images, {image.digest, images.root_of(image.digest)})
    except ImageNotFoundError:
        return nothing.remarking("the image is gone")
    except RepositoryNotFoundError:
        return nothing.remarking("the repository is gone")
    held = images.tags_of(image.digest)
    return replace(outcome, subject=str(image), remark=None if held else "the image holds no image tag")


@dataclass(frozen=True)
class _Enforcing:
    rule: Rule
    registry: Registry
    describer: Describer
    notices: Notices
    applier: Applier
    own_puts: OwnPuts | None

    def bring(self, images: RepositoryImages, focus: Set[Digest]) -> Outcome:
        """Enforce, and look again where image tags were put whose events are not answered."""
        outcome = self._enforce(images, focus)
        if self.own_puts is None or not outcome.applied:
            return outcome
        given = given_tags(outcome.plan)
        for _ in range(ROUNDS - 1 if given else 0):
            try:
                again = self._enforce(self.registry.images(images.repository), focus | given)
            except (ImageNotFoundError, RepositoryNotFoundError):
                return outcome
            except StewardError as error:
                error.rule = error.rule or self.rule.name
                return replace(outcome, error=outcome.error or error)
            plan = outcome.plan + Plan(again.plan.steps, remarks=again.plan.remarks)
            outcome = replace(outcome, plan=plan, halt=again.halt, error=outcome.error or again.error)
            if again.plan.is_empty or not again.applied:
                break
            given |= given_tags(again.plan)
        return outcome

    def _enforce(self, images: RepositoryImages, focus: Set[Digest]) -> Outcome:
        return enforce_in_repository(
            self.rule,
            images,
            focus & images.digests,
            describer=self.describer,
            notices=self.notices,
            applier=self.applier,
            own_puts=self.own_puts,
        )


def given_tags(plan: Plan) -> set[Digest]:
    """The images that a plan puts image tags on."""
    return {step.image.digest for step in plan.steps if isinstance(step, AddImageTag | DeleteAndRetag)}


def enforce_in_repository(
    rule: Rule,
    images: RepositoryImages,
    focus: Iterable[Digest],
    *,
    describer: Describer,
    notices: Notices,
    applier: Applier,
    is_dry: bool = False,
    own_puts: OwnPuts | None = None,
) -> Outcome:
    """Enforce a rule's image tags for some images of a repository; a dry run plans them and tells nobody.

    What cannot be read of some images is the outcome's error, and keeps nothing else from being done. Raises
    ImageNotFoundError and RepositoryNotFoundError for what was deleted since ``images`` were read.
    """
    if rule.image_tags is None:
        return Outcome(str(images.repository), rule.name, rule.mode)
    focus = frozenset(focus)
    facts = describer.facts(rule.image_tags, images, focus)
    plan = plan_image_tags(rule, images, focus, facts)
    error = gravest(facts.errors) if facts.errors else None
    if error is not None:
        error.rule = rule.name
    outcome = Outcome(str(images.repository), rule.name, rule.mode, plan, error=error)
    if is_dry:
        return applier.foresee(outcome, images.repository, images)
    _tell(rule, plan, images, notices)
    if rule.mode is Mode.OBSERVE:
        return outcome
    if own_puts is not None:
        own_puts.note(plan)
    try:
        return outcome.carried_out(applier.apply(plan, images.repository, images))
    except ImageTagIsImmutableError as refused:
        aliases = rule.image_tags.aliases
        if aliases is None or aliases.move is not AliasMove.DELETE_AND_RETAG:
            raise
        remark = f"somebody was faster ({refused}): the event of that push, or the next sweep, plans anew"
        return replace(outcome, plan=plan + Plan(remarks=(remark,)))


def _tell(rule: Rule, plan: Plan, images: RepositoryImages, notices: Notices) -> None:
    """Give the notices, before anything changes: afterwards a retry would find no violation, and nobody would hear."""
    for violation in plan.violations:
        image = violation.subject
        if not isinstance(image, ImageRef):
            continue
        # Planned now, or held already: the invocation that planned it may have been overtaken by this one, and what
        # both say must be the same notice.
        planned = {step.image_tag for step in plan.steps if isinstance(step, AddImageTag) and step.image == image}
        kept = sorted(tag for tag in planned | images.tags_of(image.digest) if is_quarantine_tag(tag, image.digest))
        notices.publish(
            ViolationFound(
                rule=violation.rule,
                why=violation.why,
                subject=image,
                image_tag=violation.image_tag,
                answer=_answer_to(violation, rule, plan, is_kept=bool(kept)),
                quarantine_tag=kept[0] if kept else None,
            )
        )


def _answer_to(violation: Violation, rule: Rule, plan: Plan, *, is_kept: bool) -> str:
    """What is done about a violation: less than the rule says where the image tag is protected or has to stay."""
    if rule.mode is Mode.OBSERVE or rule.image_tags is None:
        return str(Mode.OBSERVE)
    image = violation.subject
    taken = [step.image_tag for step in plan.steps if isinstance(step, RemoveImageTag) and step.image == image]
    acts = violation.image_tag in taken if violation.image_tag else bool(taken or is_kept)
    return str(rule.image_tags.on_violation if acts else OnViolation.NOTIFY)
