"""Schedule → the jobs of the other functions over every repository: what no event announced is found here.

A sweep is cut into parts, which its queue hands to as many invocations as the template allows. What a part has no time
for goes back to the queue, behind the others: the repositories that were not begun, and each that was begun as a part
of its own, with a cursor. What met a throttle comes again after a while. A part that is killed is delivered again, and
finds in order what it had done before.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import batched

from ecr_steward.domain.announcements import Announcement, quiet
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.governance import needs_registry_scanning
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.one_source import OneSource
from ecr_steward.domain.outcome import Lag, SweepFailure, SweepOutcome
from ecr_steward.domain.registry_rules import governing_registry
from ecr_steward.domain.replicas import native_destinations, sources_of
from ecr_steward.domain.repositories import Part, Repository
from ecr_steward.domain.rules import Rules
from ecr_steward.domain.sweeping import SweepPart, looks_deep
from ecr_steward.domain.ways import native_rules
from ecr_steward.errors import PermanentError, StewardError
from ecr_steward.ports.messages import SweepQueue
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.sweep_parts import SweepParts
from ecr_steward.usecases.govern_registry import govern_registry
from ecr_steward.usecases.left_of_part import Rest, wait_seconds
from ecr_steward.usecases.sweep_repository import Hands, Swept, sweep_repository

PART_SIZE = 50
"""Repositories in one part: few enough for one invocation where each holds a thousand images."""
AHEAD = 4
"""Repositories for each worker that are begun before the first of them is told."""
LAST_SECONDS = 20.0
"""Of an invocation that cuts a sweep, in which no further part is put on the queue."""
RESERVE_SECONDS = 90.0
"""Time that must be left before another repository is begun."""


def cut_sweep(
    homes: Sequence[RegistryRef],
    *,
    sweep: str,
    rules: Rules,
    registry: Registry,
    queue: SweepQueue,
    under_way: SweepParts,
    deadline: Deadline = NEVER,
    workers: int = 1,
) -> SweepOutcome:
    """Cut a sweep into parts and put them on its queue. A registry that cannot be listed keeps none from the others.

    Repositories that an earlier sweep has not ended with are left to it; what no time was left for, to the next sweep.
    """
    failures: list[SweepFailure] = []
    repositories = parts = joined = 0

    def listed(place: _Place) -> tuple[_Place, list[str], StewardError | None]:
        try:
            return place, [each.ref.name for each in _concerned(place, homes, rules, registry)], None
        except StewardError as error:
            return place, [], error

    with ThreadPoolExecutor(workers) as pool:
        for place, names, error in _ahead(pool, listed, _places(homes, rules), AHEAD * workers):
            if error is not None:
                failures.append(SweepFailure(str(place.registry), str(error)))
            earlier: Set[str] = frozenset()
            with _told_in(failures, place.registry):  # what is not known is rather swept twice
                earlier = under_way.under_way(place.registry, beside=sweep) if names else earlier
            joined += sum(name in earlier for name in names)
            cut = list(place.parts([name for name in names if name not in earlier], sweep))
            with _told_in(failures, place.registry):
                under_way.begin(cut)  # before the queue has them: what it delivers at once ends after that
            for part in cut:
                try:
                    with forgotten_if_failed(part, under_way, StewardError):
                        deadline.require(LAST_SECONDS)
                        queue.put(part)
                except StewardError as refused:
                    failures.append(SweepFailure(str(part), str(refused)))
                else:
                    repositories += len(part.repositories)
                    parts += 1
    return SweepOutcome((), repositories, 0, tuple(failures), parts=parts, joined=joined)


@contextmanager
def _told_in(failures: list[SweepFailure], registry: RegistryRef) -> Iterator[None]:
    try:
        yield
    except StewardError as error:
        failures.append(SweepFailure(str(registry), str(error)))


@contextmanager
def forgotten_if_failed(
    part: SweepPart, under_way: SweepParts, errors: type[StewardError] = PermanentError
) -> Iterator[None]:
    """Note that a part has ended where its message ends with an error: the next sweep has to begin it anew."""
    try:
        yield
    except errors:
        with suppress(StewardError):  # it is forgotten after hours
            under_way.end(part)
        raise


def quiet_registries(announcements: Iterable[Announcement], now: datetime) -> tuple[SweepFailure, ...]:
    """Each registry that announces itself no longer: its events may not arrive either, and in the end it is let go."""
    return tuple(
        SweepFailure(
            str(each.registry),
            f"its last self-check came at {each.at:%Y-%m-%d %H:%M} UTC. Look at its stack; once that is deleted, "
            f"`ecr-steward forget-account {each.registry.account}`",
        )
        for each in quiet(announcements, now)
    )


def sweep_part(
    part: SweepPart,
    *,
    rules: Rules,
    hands: Hands,
    queue: SweepQueue,
    under_way: SweepParts,
    workers: int = 1,
) -> SweepOutcome:
    """Sweep what one part asks for, as many repositories as its time allows; the rest goes back to the queue.

    What comes back again and again with nothing done is a failure in the end.
    """
    applier = hands.applier.in_window(f"sweep {part.sweep}")
    hands = replace(hands, applier=applier, one_source=OneSource(rules, hands.homes or (part.registry,)))
    whole = [sweep_registry(part.registry, rules, hands)] if part.whole_registry else []
    begun, left = _visited(part, rules, hands, workers)
    rest = Rest(part, [*whole, *begun], left)
    failures, later = rest.report()
    unnoted: list[SweepFailure] = []
    with _told_in(unnoted, part.registry):
        if rest.parts:
            under_way.begin(rest.parts)
        else:
            under_way.end(part)
    for each in rest.parts:
        queue.put(each, wait_seconds(each))
    return replace(summed(rest.found), failures=(*failures, *unnoted), later=later)


def _visited(part: SweepPart, rules: Rules, hands: Hands, workers: int) -> tuple[list[Swept], list[RepositoryRef]]:
    """What was found in the repositories that were begun, and those for which no time was left."""

    def visit(one: Repository) -> Swept:
        is_deep = looks_deep(one.ref, hands.now(), hands.sweeps_every)
        of_it = replace(hands, is_deep=is_deep)
        return sweep_repository(one, rules, of_it, settings_only=part.settings_only, cursor=part.cursor)

    left = deque(described(part, rules, hands.registry))
    begun: list[Swept] = []
    under_way: set[Future[Swept]] = set()
    with ThreadPoolExecutor(workers) as pool:  # a large repository keeps one worker, and the others go on
        while True:
            while left and len(under_way) < workers and hands.deadline.has(RESERVE_SECONDS):
                under_way.add(pool.submit(visit, left.popleft()))
            if not under_way:
                return begun, [each.ref for each in left]
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            begun += [each.result() for each in ended]


def reconcile_registry(homes: Sequence[RegistryRef], *, rules: Rules, hands: Hands, workers: int = 1) -> SweepOutcome:
    """Sweep home registries, and the settings of those that they replicate to, here and now."""
    return summed(sweep_registries(homes, rules=rules, hands=hands, workers=workers))


def sweep_registries(
    homes: Sequence[RegistryRef],
    *,
    rules: Rules,
    hands: Hands,
    workers: int = 1,
    is_wanted: Callable[[RegistryRef | RepositoryRef], bool] = lambda _: True,
) -> Iterator[Swept]:
    """Sweep registry after registry, repository after repository; what is not wanted is passed over.

    Settings and image tags are mended at once; a missing replica is requested from the replication queue, which is
    the throttle of all copies. Where a rule speaks of scans every tagged image is judged anew, since waivers expire and
    the events of findings may get lost: a fail is published, and a pass where a copy waits for it. What fails in one
    repository does not keep the sweep from the others.
    """
    hands = replace(hands, homes=tuple(homes), one_source=OneSource(rules, tuple(homes)))
    with ThreadPoolExecutor(workers) as pool:
        for place in _places(homes, rules):
            if place.whole_registry and is_wanted(place.registry):
                yield sweep_registry(place.registry, rules, hands)
            try:
                listed = [each for each in _concerned(place, homes, rules, hands.registry) if is_wanted(each.ref)]
            except StewardError as error:
                yield Swept(place.registry, failures=[SweepFailure(str(place.registry), str(error))])
                continue
            visit = partial(sweep_repository, rules=rules, hands=hands, settings_only=place.settings_only)
            yield from _ahead(pool, visit, _with_registry_scanning(listed, rules, hands.registry), AHEAD * workers)


def sweep_registry(registry: RegistryRef, rules: Rules, hands: Hands) -> Swept:
    """Look at the settings of a registry as a whole."""
    swept = Swept(registry)
    for outcome in govern_registry(
        registry,
        rules=rules,
        settings=hands.settings,
        applier=hands.applier,
        backfilling=hands.applier.backfilling,
        is_dry=hands.is_dry,
    ):
        swept.keep(outcome)
        if outcome.plan.is_empty and not outcome.plan.violations and outcome.remark:  # how far a backfill is
            swept.outcomes.append(outcome)
    return swept


def described(part: SweepPart, rules: Rules, registry: Registry) -> list[Repository]:
    """The repositories of a part, with their descriptions by one call for all. Who is gone hides them: then by none."""
    refs = [RepositoryRef(part.registry, name) for name in part.repositories]
    try:
        found = {each.ref: each for each in registry.described(part.registry, part.repositories)} if refs else {}
    except StewardError:  # each is told its error when it is looked at
        found = {}
    known = [found.get(ref, Repository.unread(ref)) for ref in refs]
    return list(_with_registry_scanning(known, rules, registry))


def _with_registry_scanning(known: Sequence[Repository], rules: Rules, registry: Registry) -> Iterator[Repository]:
    """Repositories, with what their registry decides about scans where a plan needs that, some by one call.

    Only a hint, without the resource tags that rules may ask for: whoever is left out is asked about by itself.
    """
    for some in batched(known, PART_SIZE, strict=False):
        described = [each for each in some if Part.DESCRIPTION in each.read]
        asked = [
            each
            for each in described
            if needs_registry_scanning(rules.governing(each.ref, each.settings.resource_tags).settings, each)
        ]
        try:
            told = (
                {each.ref: each for each in registry.with_registry_scanning(asked[0].ref.registry, asked)}
                if asked
                else {}
            )
        except StewardError:
            told = {}
        yield from (told.get(each.ref, each) for each in some)


@dataclass(frozen=True)
class _Place:
    """A registry to sweep."""

    registry: RegistryRef
    settings_only: bool
    """Whether it is one that copies go to."""
    whole_registry: bool
    """Whether a rule speaks of the registry itself."""

    def parts(self, names: Sequence[str], sweep: str) -> Iterator[SweepPart]:
        """Its parts; one at least where there are settings of the registry itself."""
        part = SweepPart(self.registry, (), sweep, self.settings_only, self.whole_registry)
        for number, some in enumerate(batched(names, PART_SIZE, strict=False), 1):
            yield replace(part, repositories=some, number=str(number))
            part = replace(part, whole_registry=False)
        if part.whole_registry:
            yield part


def _places(homes: Sequence[RegistryRef], rules: Rules) -> Iterator[_Place]:
    for registry, settings_only in [(home, False) for home in homes] + [
        (to, True) for to in _destinations(homes, rules)
    ]:
        yield _Place(registry, settings_only, any(governing_registry(rules.registries, registry)))


def _concerned(place: _Place, homes: Sequence[RegistryRef], rules: Rules, registry: Registry) -> Iterator[Repository]:
    """The repositories that some rule covers, that ECR itself copies from a home, or that are copied there."""
    for each in registry.repositories(place.registry):
        is_copied = not place.settings_only and any(native_rules(rules, each.ref))
        if is_copied or rules.may_govern(each.ref) or any(sources_of(rules, each.ref, homes)):
            yield each


def _ahead[Item, Found](
    pool: Executor, visit: Callable[[Item], Found], items: Iterable[Item], limit: int
) -> Iterator[Found]:
    """What visits find, in order. No more than ``limit`` are begun and not yet told: little is done after a Ctrl-C."""
    begun: deque[Future[Found]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(visit, item))
            if len(begun) == limit:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for each in begun:
            each.cancel()


def summed(found: Iterable[Swept]) -> SweepOutcome:
    """What a sweep found, all in all."""
    told = [swept for swept in found if swept.is_covered or swept.outcomes or swept.failures or swept.lags]
    lags: dict[RegistryRef, float] = {}
    for destination, seconds in (each for swept in told for each in swept.lags.items()):
        lags[destination] = max(lags.get(destination, 0.0), seconds)
    return SweepOutcome(
        outcomes=tuple(outcome for swept in told for outcome in swept.outcomes),
        repositories=sum(swept.is_covered for swept in told),
        requested=sum(swept.requested for swept in told),
        failures=tuple(failure for swept in told for failure in swept.failures),
        missed=tuple(missed for swept in told for missed in swept.events_missed),
        lags=tuple(Lag(str(destination), seconds) for destination, seconds in sorted(lags.items())),
    )


def _destinations(homes: Sequence[RegistryRef], rules: Rules) -> list[RegistryRef]:
    """Each other registry that a rule replicates to, or has ECR replicate to."""
    destinations = {
        destination.registry(home)
        for home in homes
        for rule in rules.with_defaults
        for replication in rule.replicate or ()
        for destination in replication.to
    }
    return sorted(destinations.union(*(native_destinations(rules, home) for home in homes)) - set(homes))
