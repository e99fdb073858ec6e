"""Facts that one job reads once, however often it needs them."""

from collections.abc import Callable

from ecr_steward.errors import StewardError


def once[Subject, Fact](read: Callable[[Subject], Fact]) -> Callable[[Subject], Fact]:
    """The same reading, done once for each subject. An error counts as read: whoever asks again is told it again.

    So a job with many parts spends the patience of the adapters' retries on a subject that does not answer only once.
    """
    facts: dict[Subject, Fact] = {}
    errors: dict[Subject, StewardError] = {}

    def read_once(subject: Subject) -> Fact:
        if subject in errors:
            raise errors[subject].with_traceback(None)  # else every raise would leave its frames there
        if subject not in facts:
            try:
                facts[subject] = read(subject)
            except StewardError as error:
                errors[subject] = error
                raise
        return facts[subject]

    return read_once
