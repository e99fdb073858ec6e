"""Carrying out what rules ask for: unless everything is paused, within the brake, and recorded."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from ecr_steward.domain.brake import Brake, Hold, Load, is_public, loads, window_of_events
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import AnyRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import BrakeHeld
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.plan import Plan, PutLifecyclePolicy, Step
from ecr_steward.domain.registries import PutReplicationConfiguration
from ecr_steward.domain.rules import Mode
from ecr_steward.domain.widening import access_widened
from ecr_steward.errors import (
    ImageIsListedError,
    ImageTaggedMeanwhileError,
    LastImageTagError,
    PausedError,
    RepositoryNotFoundError,
    StewardError,
    gravest,
)
from ecr_steward.ports.brakes import Brakes
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.stores import ImageContent
from ecr_steward.ports.switch import Switch
from ecr_steward.usecases.apply import apply_plan
from ecr_steward.usecases.backfilling import Backfilling
from ecr_steward.usecases.moving import AT_ONCE, Pace
from ecr_steward.usecases.recording import recorded

STEP_SECONDS = 60.0
"""That must be left to begin with a step: one of two requests, such as to take an image tag from one image and give it
to another, is not to end between them."""

type Halt = Pause | Hold
"""Why a plan was not carried out, or not to its end. ``str(halt)`` tells people."""


@dataclass(frozen=True)
class Applier:
    """What every plan that a rule asks for goes through. By hand a person's plan needs none of it but the record."""

    registry: Registry
    switch: Switch
    brakes: Brakes
    journal: Journal
    notices: Notices
    now: Clock
    who: str
    """Whom the journal names, such as ``enforce_image_tags``."""
    brake_of: Callable[[str], Brake]
    """``Rules.brake_of``."""
    content: ImageContent | None = None
    settings: RegistrySettingsStore | None = None
    backfilling: Backfilling | None = None
    pace: Pace = AT_ONCE
    """How much is copied at a time, and for how long."""
    window: str | None = None
    """What is counted together with this; ``None`` for all events of the hour."""

    def in_window(self, window: str) -> "Applier":
        """The same, counting in a window such as a sweep's own."""
        return replace(self, window=window)

    def at_pace(self, pace: Pace) -> "Applier":
        """The same, copying so much at a time."""
        return replace(self, pace=pace)

    def apply(
        self, plan: Plan, about: AnyRepository | RegistryRef, images: RepositoryImages | None = None
    ) -> Halt | None:
        """Carry out a plan about one repository or registry, or answer why not.

        ``images`` are those of the repository, where the plan may take some of them away. A plan that the brake holds
        is not carried out at all: half of a plan that looked wrong is no better. One that a pause overtakes ends after
        the step that was under way. In either case the next sweep plans again what is left.
        """
        if plan.is_empty:
            return None
        if pause := self.switch.paused():
            return pause
        for rule, load in self._loads(plan, about, images).items():
            if hold := self._held(rule, load):
                return hold
        pauses: list[Pause] = []

        @contextmanager
        def around(step: Step) -> Iterator[None]:
            self.pace.deadline.require(STEP_SECONDS)
            if pause := self.switch.paused():
                pauses.append(pause)
                raise PausedError(str(pause))
            with recorded(step, self.journal, self.who):
                if widened := access_widened(step):
                    self.notices.publish(widened)
                yield

        try:
            apply_plan(
                plan,
                self.registry,
                self.content,
                self.settings,
                around=around,
                pace=self.pace,
                backfilling=self.backfilling,
            )
        except PausedError:
            return pauses[0]
        return None

    def foresee(self, planned: Outcome, about: RepositoryRef | RegistryRef, images: RepositoryImages | None) -> Outcome:
        """An outcome of a dry run, with the brake that would hold it. ``brakes`` must count for this run alone."""
        if planned.mode is Mode.OBSERVE:
            return planned
        for rule, load in self._loads(planned.plan, about, images).items():
            if hold := self.brakes.holding(rule, load.about) or self._exceeding(rule, load):
                return replace(planned, halt=hold)
        return planned

    def _loads(
        self, plan: Plan, about: AnyRepository | RegistryRef, images: RepositoryImages | None
    ) -> Mapping[str, Load]:
        """What counts of a plan. Where a rule may take nothing away by itself, answers to a push count, too."""
        needs_images = any(isinstance(step, PutLifecyclePolicy) or is_public(step) for step in plan.steps)
        if images is None and needs_images and isinstance(about, RepositoryRef):
            with suppress(RepositoryNotFoundError):
                images = self.registry.images(about)
        names: list[str] = []
        deletes = any(isinstance(step, PutReplicationConfiguration) and step.takes_away for step in plan.steps)
        if deletes and isinstance(about, RegistryRef):
            names = [each.ref.name for each in self.registry.repositories(about)]
        return loads(plan.steps, about, images, self.now(), lambda rule: self.brake_of(rule).removals == 0, names=names)

    def _held(self, rule: str, load: Load) -> Hold | None:
        hold = self.brakes.holding(rule, load.about)
        if hold is None:
            if (found := self._exceeding(rule, load)) is None:
                return None
            hold = self.brakes.hold(found)
        if not hold.is_told:
            # By whoever meets it first after it was not told: the invocation that put it there may have ended since.
            # Two at the same time say the same, and a notice that was given is not given again.
            self.notices.publish(BrakeHeld(hold.rule, hold.subject, hold.asked, hold.why, hold.since, hold.is_wide))
            self.brakes.tell(hold)
        return hold

    def _exceeding(self, rule: str, load: Load) -> Hold | None:
        """Count what a plan takes away, or answer the hold that it brings about."""
        window = self.window or window_of_events(self.now())
        excess = self.brakes.spend(rule, window, load, self.brake_of(rule))
        if excess is None:
            return None
        return Hold(rule, load.about, load.weight.removals, excess.why, self.now(), excess.is_wide)


def carry_out(planned: Outcome, images: RepositoryImages, applier: Applier) -> Outcome:
    """Do what was planned of a repository that holds these images; what somebody else was faster with stays."""
    try:
        return planned.carried_out(applier.apply(planned.plan, images.repository, images))
    except (ImageIsListedError, ImageTaggedMeanwhileError, LastImageTagError) as error:
        said = (str(error), *getattr(error, "__notes__", ()))
        remarks = tuple(f"somebody was faster, and the next sweep looks again: {each}" for each in said)
        return replace(planned.carried_out(None), plan=planned.plan + Plan(remarks=remarks))
    except StewardError as error:
        return replace(planned, error=gravest([error, *([planned.error] if planned.error else [])]))
