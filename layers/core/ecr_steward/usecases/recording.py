"""Recording steps: each is in the journal before it is done, so that no end of a function hides one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ecr_steward.domain.journal import StepState, is_recorded
from ecr_steward.domain.plan import DeleteAndRetag, Step
from ecr_steward.errors import ImageTaggedMeanwhileError, LastImageTagError, PermanentError, StewardError
from ecr_steward.ports.journal import Journal

_NOTHING_CHANGED = (PermanentError, LastImageTagError, ImageTaggedMeanwhileError)


@contextmanager
def recorded(step: Step, journal: Journal, who: str, *, is_always: bool = False) -> Iterator[None]:
    """Record a step that is done inside of this, where the journal has such steps, or always.

    A step without an answer stays ``intended``: it may have been done. So does one of two calls that was refused, which
    may have been the second one.
    """
    if not is_always and not is_recorded(step):
        yield
        return
    entry_id = journal.begin(step, who)
    try:
        yield
    except _NOTHING_CHANGED as error:
        if isinstance(step, DeleteAndRetag) and not isinstance(error, LastImageTagError):
            raise
        with suppress(StewardError):  # what the registry says is the news
            journal.end(entry_id, StepState.FAILED)
        raise
    journal.end(entry_id, StepState.DONE)
