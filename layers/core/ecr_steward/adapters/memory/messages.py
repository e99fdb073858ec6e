"""Fakes of what leaves the steward: each keeps what it was given."""

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.notices import FailedEvent, Notice, ReplicationRequested, topic_of
from ecr_steward.domain.sweeping import SweepPart


class InMemoryNotices:
    """A ``Notices``: the notices that listeners saw, each once, since no test lasts a day."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.published: list[Notice] = []

    def publish(self, notice: Notice) -> None:
        with self.calls.record("publish", notice):
            topic = topic_of(notice)
            on_topic = [each for each in self.published if topic_of(each) == topic]
            if notice not in (on_topic if topic is None else on_topic[-1:]):
                self.published.append(notice)


class InMemoryHints:
    """A ``Hints``: the repositories that are to be looked at."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.pushed: list[RepositoryRef] = []

    def pushed_to(self, repository: RepositoryRef) -> None:
        with self.calls.record("pushed_to", repository):
            self.pushed.append(repository)


class InMemoryReplicationQueue:
    """A ``ReplicationQueue``: the jobs in the queue."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.requested: list[ReplicationRequested] = []
        self.delays: list[int] = []
        """Seconds until each of them is delivered."""

    def request(self, job: ReplicationRequested, delay_seconds: int = 0) -> None:
        with self.calls.record("request", job):
            self.requested.append(job)
            self.delays.append(delay_seconds)


class InMemorySweepQueue:
    """A ``SweepQueue``: the parts in the queue."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.parts: list[SweepPart] = []
        self.delays: list[int] = []
        """Seconds until each of them is delivered."""

    def put(self, part: SweepPart, delay_seconds: int = 0) -> None:
        with self.calls.record("put", part):
            self.parts.append(part)
            self.delays.append(delay_seconds)


class InMemorySourceQueue:
    """A ``SourceQueue``: the messages that come again, after how many seconds, and those that were sent anew."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.postponed: list[tuple[str, int]] = []
        self.sent_again: list[str] = []

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        with self.calls.record("postpone", receipt_handle, seconds):
            self.postponed.append((receipt_handle, seconds))

    def send_again(self, body: str) -> None:
        with self.calls.record("send_again", body):
            self.sent_again.append(body)


class InMemoryFailureQueue:
    """A ``FailureQueue``: the events that a person has to look at."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.failed: list[FailedEvent] = []

    def put(self, failed: FailedEvent) -> None:
        with self.calls.record("put", failed):
            self.failed.append(failed)
