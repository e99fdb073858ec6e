"""Planning and applying, without the commands' arguments and prints."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.outcome import Outcome, SweepFailure, SweepOutcome
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import StewardError
from ecr_steward.usecases.reconcile_registry import summed, sweep_registries
from ecr_steward.usecases.replicate_image import replicate_image
from ecr_steward.usecases.sweep_repository import LEFT_TO_QUEUE, Hands, Swept
from ecr_steward_cli.planning.document import Fingerprint, fingerprints
from ecr_steward_cli.planning.exactly import ExactApplier
from ecr_steward_cli.planning.foreseen import ForeseenBrakes
from ecr_steward_cli.planning.hands import CopiesToMake
from ecr_steward_cli.planning.one_core import one_core

type ToDo = dict[object, frozenset[Fingerprint]]
"""What would be done, by registry or repository."""
WORKERS = 16
"""Repositories that are looked at side by side. A person waits for them, and ECR takes far more calls at a time."""


@dataclass(frozen=True)
class Run:
    """What one run of a command is about."""

    registries: Sequence[RegistryRef]
    rules: Rules
    hands: Hands
    copies: CopiesToMake

    def plan(self, is_wanted: Callable[[RegistryRef | RepositoryRef], bool]) -> tuple[SweepOutcome, ToDo]:
        """Plan, and say what would be done. Nothing is changed."""
        found = list(self._sweep(is_wanted, is_dry=True))
        to_do = {swept.subject: frozenset(fingerprints(swept.outcomes)) for swept in found}
        return summed(found), {subject: asked for subject, asked in to_do.items() if asked}

    def apply(self, to_do: ToDo, not_planned: Iterable[SweepFailure] = ()) -> SweepOutcome:
        """Do what is planned, for each registry and repository if its facts still ask for exactly that.

        One whose facts have moved meanwhile is left as it is, and is a failure of the outcome; so is what only the
        facts of its very turn ask for, what cannot be read this time, and what could ``not`` be ``planned``.
        """
        moved = list(not_planned)
        unmoved: set[object] = set()
        shown: list[Outcome] = []
        for swept in self._sweep(to_do.__contains__, is_dry=True):
            if swept.subject not in to_do:  # a registry whose repositories cannot be listed
                moved += swept.failures
            elif to_do[swept.subject] == frozenset(fingerprints(swept.outcomes)):
                unmoved.add(swept.subject)
                shown += swept.outcomes
            else:
                why = "the facts have moved since the plan was made, so nothing was done here; plan again"
                moved += swept.failures or [SweepFailure(str(swept.subject), why)]
        exactly = replace(self, hands=replace(self.hands, applier=ExactApplier.of(self.hands.applier, shown)))
        done = exactly._do(unmoved.__contains__)
        return replace(done, failures=tuple(dict.fromkeys((*moved, *done.failures))))

    def apply_unseen(self, is_wanted: Callable[[RegistryRef | RepositoryRef], bool]) -> SweepOutcome:
        """Plan and do at once, for one repository after the other: there is no plan that somebody has agreed to."""
        return self._do(is_wanted)

    def _do(self, is_wanted: Callable[[RegistryRef | RepositoryRef], bool]) -> SweepOutcome:
        swept_now = list(self._sweep(is_wanted, is_dry=False))
        for swept in swept_now:  # what is left to a queue is done right here, and told when it is
            swept.outcomes = [each for each in swept.outcomes if each.remark != LEFT_TO_QUEUE]
        return summed([*swept_now, *self._copy()])

    def _sweep(self, is_wanted: Callable[[RegistryRef | RepositoryRef], bool], *, is_dry: bool) -> Iterator[Swept]:
        hands = replace(self.hands, is_dry=is_dry)
        if is_dry:  # what the plan takes away counts for the plan alone, and the brakes that hold already count, too
            applier = replace(hands.applier, brakes=ForeseenBrakes(hands.applier.brakes))
            hands = replace(hands, applier=applier)
        with one_core():
            yield from sweep_registries(
                self.registries, rules=self.rules, hands=hands, workers=WORKERS, is_wanted=is_wanted
            )

    def _copy(self) -> Iterable[Swept]:
        """Make the copies that the sweep has asked for; a function would leave them to its queue."""
        hands = self.hands
        copy = partial(
            replicate_image,
            rules=self.rules,
            registry=hands.registry,
            content=hands.content,
            scans=hands.scans,
            notices=hands.notices,
            now=hands.now,
            applier=hands.applier,
            homes=tuple(self.registries),
        )
        for job in self.copies.jobs:
            swept = Swept(job.image)
            try:
                for outcome in copy(job.image, is_deep=job.is_deep):
                    swept.keep(outcome)
            except StewardError as error:
                swept.failures.append(SweepFailure(str(job.image), str(error)))
            yield swept


def moved_since(saved: frozenset[Fingerprint], to_do: ToDo) -> tuple[ToDo, list[str]]:
    """What of a saved plan is still to be done, and for which subjects the facts now ask for something else.

    Where they ask for nothing any more, what was planned is done: a plan that is applied twice has nothing left to do.
    What they ask of others is no part of the plan.
    """
    planned = {(subject, rule) for subject, rule, _ in saved}
    concerned = {each: found for each, found in to_do.items() if any(one[:2] in planned for one in found)}
    return concerned, sorted(str(each) for each, found in concerned.items() if not found <= saved)
