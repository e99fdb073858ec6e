"""What is left of a part of a sweep: which parts it becomes, when they come, and what is reported of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.outcome import SweepFailure
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.usecases.sweep_repository import Swept

HOPS = 8
"""How often in a row a part may be put back with nothing done. Lambda itself would stop a loop after 16 ("Recursive
loop detection", Lambda guide), which the template allows this function."""
FIRST_WAIT_SECONDS = 60
"""After which a part comes again whose requests were throttled; each time in a row twice as long."""
LONGEST_WAIT_SECONDS = 900


@dataclass(frozen=True)
class Rest:
    """What one invocation leaves of a part."""

    part: SweepPart
    found: Sequence[Swept]
    """In the repositories that were begun, and in the registry as a whole."""
    not_begun: Sequence[RepositoryRef]

    @property
    def parts(self) -> tuple[SweepPart, ...]:
        """What goes back to the queue. The first one is the same part, with less in it; the others have other numbers.

        A number has the name of a repository in it, which is in one part of a sweep at a time.
        """
        going_on = [each for each in self._all() if each.hops <= HOPS]
        number = self.part.number.partition(" ")[0]
        others = (replace(each, number=f"{number} {(*each.repositories, '-')[0]}") for each in going_on[1:])
        return (*going_on[:1], *others)

    def report(self) -> tuple[tuple[SweepFailure, ...], tuple[SweepFailure, ...]]:
        """What has failed, and what comes again.

        What is looked at again as a whole reports at its end; a sweep that goes on at a cursor does not come by again.
        """
        failures: list[SweepFailure] = []
        later: list[SweepFailure] = []
        for each in self.found:
            for failure in each.failures:
                is_late = failure.may_pass or _comes_again_whole(each)
                (later if is_late and not self._is_given_up(each.subject) else failures).append(failure)
        reported = {each.subject for each in self.found if not each.is_cut}
        failures += (
            SweepFailure(str(subject), f"put back {self.part.hops} times in a row, with nothing done: too little time")
            for subject in self._given_up()
            if subject not in reported
        )
        return tuple(failures), tuple(later)

    def _all(self) -> Iterator[SweepPart]:
        """At once, what was not begun and what was cut; after a while, what met a throttle."""
        once_more = replace(self.part, whole_registry=False, hops=self.part.hops + 1, cursor=None)
        if self.not_begun:
            names = tuple(ref.name for ref in self.not_begun)
            yield replace(once_more, repositories=names, hops=0 if self.found else once_more.hops)
        for each in self.found:
            if each.is_cut and isinstance(each.subject, RepositoryRef):
                hops = once_more.hops if each.cursor == self.part.cursor else 0
                yield replace(once_more, repositories=(each.subject.name,), hops=hops, cursor=each.cursor)
        to_retry = [each.subject for each in self.found if _comes_again_whole(each)]
        if to_retry:
            names = tuple(each.name for each in to_retry if isinstance(each, RepositoryRef))
            whole = any(isinstance(each, RegistryRef) for each in to_retry)
            yield replace(once_more, repositories=names, whole_registry=whole, cursor=self.part.cursor)

    def _given_up(self) -> Iterator[object]:
        for each in self._all():
            if each.hops > HOPS:
                yield from (RepositoryRef(each.registry, name) for name in each.repositories)
                if each.whole_registry:
                    yield each.registry

    def _is_given_up(self, subject: object) -> bool:
        return any(each == subject for each in self._given_up())


def _comes_again_whole(swept: Swept) -> bool:
    """Whether all of it is looked at again: a cursor is only in a repository."""
    return not _goes_on(swept) and (swept.may_pass or swept.is_cut)


def _goes_on(swept: Swept) -> bool:
    return swept.is_cut and isinstance(swept.subject, RepositoryRef)


def wait_seconds(part: SweepPart) -> int:
    """How long what is left of a part waits: not at all while something gets done."""
    return min(FIRST_WAIT_SECONDS * 2 ** (part.hops - 1), LONGEST_WAIT_SECONDS) if part.hops else 0
