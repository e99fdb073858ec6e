"""Facts that one job reads once, however often it needs them."""

from collections.abc import Callable

from ecr_steward.errors import StewardError


class Remembered[Subject, Fact]:
    """Facts by subject, each found out once. An error counts as found out: whoever asks again is told it again.

    So a job with many parts spends the patience of the adapters' retries on a subject that does not answer only once.
    """

    def __init__(self) -> None:
        self._facts: dict[Subject, Fact] = {}
        self._errors: dict[Subject, StewardError] = {}

    def get(self, subject: Subject, find_out: Callable[[], Fact]) -> Fact:
        """What is known of a subject, found out now where nothing is."""
        if subject in self._errors:
            raise self._errors[subject].with_traceback(None)  # else every raise would leave its frames there
        if subject not in self._facts:
            try:
                self._facts[subject] = find_out()
            except StewardError as error:
                self._errors[subject] = error
                raise
        return self._facts[subject]

    def forget(self) -> None:
        """Find everything out anew."""
        self._facts.clear()
        self._errors.clear()


def once[Subject, Fact](read: Callable[[Subject], Fact]) -> Callable[[Subject], Fact]:
    """The same reading, done once for each subject; see ``Remembered``."""
    known = Remembered[Subject, Fact]()
    return lambda subject: known.get(subject, lambda: read(subject))
