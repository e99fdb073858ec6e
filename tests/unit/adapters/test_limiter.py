"""How fast requests go to one server, and how often they are made again."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters import limits
from ecr_steward.adapters.budget import Budget
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.limiter import SLOWEST, Limiter
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import OutOfTimeError, RegistryUnavailableError, ThrottledError

PUT, GET = ("registry.example", "ecr:PutImage"), ("registry.example", "ecr:BatchGetImage")
LIST = "/v2/team-a/api/tags/list"


class Time:
    """Goes by only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time: Time) -> Limiter:
    return Limiter(now=lambda: time.now, sleep=time.sleep)


def ask(limiter: Limiter, time: Time, count: int) -> float:
    """So many requests that are all taken; how long they took."""
    began = time.now
    for _ in range(count):
        limiter.wait(PUT, Budget())
        limiter.taken(PUT)
    return time.now - began


def test_nobody_waits_when_nothing_was_refused(limiter: Limiter, time: Time) -> None:
    assert ask(limiter, time, 100) == 0


def test_all_requests_of_a_kind_wait_as_long_as_the_server_said_and_others_do_not(limiter: Limiter, time: Time) -> None:
    limiter.refused(PUT, 8)

    limiter.wait(GET, Budget())
    limiter.wait(("elsewhere.example", "ecr:PutImage"), Budget())
    assert time.slept == []
    limiter.wait(PUT, Budget())
    assert time.slept == [8]


def test_requests_keep_a_distance_after_a_refusal_and_none_when_the_server_has_recovered(
    limiter: Limiter, time: Time
) -> None:
    limiter.refused(PUT, 4)
    limiter.wait(PUT, Budget())

    first = ask(limiter, time, 10)

    assert 2 < first < 5
    ask(limiter, time, 60)
    assert ask(limiter, time, 100) == 0


def test_the_distance_has_an_end_when_a_server_refuses_everything(limiter: Limiter, time: Time) -> None:
    for _ in range(50):
        limiter.refused(PUT, 20)
    limiter.wait(PUT, Budget())
    time.slept.clear()

    limiter.wait(PUT, Budget())

    assert time.slept == [SLOWEST]


def test_an_operation_is_never_faster_than_its_share(time: Time) -> None:
    limiter = Limiter({"ecr:PutImage": 2.0}, now=lambda: time.now, sleep=time.sleep)

    assert ask(limiter, time, 21) == 10


def test_copy_jobs_together_leave_a_fifth_of_the_quota_to_others(time: Time) -> None:
    share = limits.PUTS_A_SECOND / bootstrap.Settings.copy_jobs
    workers = [Limiter({"ecr:PutImage": share}, now=lambda: time.now, sleep=time.sleep) for _ in range(5)]
    seconds, puts = 100, 0

    for worker in workers:
        time.now, worker_ends = 100.0, 100.0 + seconds
        while time.now < worker_ends:
            ask(worker, time, 1)
            puts += 1

    assert puts / seconds == pytest.approx(limits.PUT_IMAGE_QUOTA * 4 / 5, rel=0.01)


def test_nobody_waits_when_the_turn_comes_after_the_time_of_the_job(limiter: Limiter, time: Time) -> None:
    limiter.refused(PUT, 8)
    ends_at = time.now + 8

    with pytest.raises(OutOfTimeError):
        limiter.wait(PUT, Budget(Deadline(lambda: ends_at - time.now)))

    assert time.slept == []
    limiter.wait(PUT, Budget(Deadline(lambda: ends_at + 1 - time.now)))
    assert time.slept == [8]


def test_nobody_waits_on_when_another_refusal_takes_longer_than_the_time_of_the_job(
    limiter: Limiter, time: Time
) -> None:
    limiter.refused(PUT, 1)
    limiter.sleep = lambda seconds: (time.sleep(seconds), limiter.refused(PUT, 5))
    ends_at = time.now + 3

    with pytest.raises(OutOfTimeError):
        limiter.wait(PUT, Budget(Deadline(lambda: ends_at - time.now)))

    assert time.slept == [1]


def test_retries_come_to_an_end_for_all_requests_of_a_job_together_and_are_earned_back() -> None:
    budget = Budget()

    assert [budget.may_retry() for _ in range(limits.RETRIES + 1)] == [True] * limits.RETRIES + [False]

    for _ in range(round(1 / limits.RETRY_EARNED) + 1):
        budget.earn(PUT)

    assert [budget.may_retry(), budget.may_retry()] == [True, False]


def client_of(server: Any, limiter: Limiter) -> DistributionClient:
    return DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=Transport(limiter=limiter))


def test_a_second_request_waits_when_the_first_was_told_to(
    server: Any, reply_with: Any, limiter: Limiter, time: Time
) -> None:
    server.on("GET", LIST, reply_with(429, b"", {"Retry-After": "7"}), reply_with(200, b'{"tags": ["1.0"]}'))
    client = client_of(server, limiter)

    assert list(client.image_tags("team-a/api")) == [ImageTag("1.0")]

    assert time.slept == [7]
    assert list(client.image_tags("team-a/api")) == [ImageTag("1.0")]
    assert sum(time.slept) > 7


def test_a_server_is_asked_no_more_when_all_retries_are_used_up(server: Any, reply_with: Any, limiter: Limiter) -> None:
    server.on("GET", LIST, reply_with(429))
    client = client_of(server, limiter)

    for _ in range(limits.RETRIES):
        with pytest.raises((ThrottledError, RegistryUnavailableError)):
            list(client.image_tags("team-a/api"))

    assert len(server.received) < limits.RETRIES * 2 + PATIENT.total


def test_a_job_has_all_its_retries_when_the_one_before_it_has_used_up_its_own(
    server: Any, reply_with: Any, time: Time, limiter: Limiter
) -> None:
    server.on("GET", LIST, reply_with(500))
    transport = Transport(limiter=limiter, retries=PATIENT.new(backoff_factor=0, backoff_jitter=0))

    def tries_of_a_job(requests: int) -> list[int]:
        client = DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=transport.for_job())
        tries = []
        for _ in range(requests):
            before = len(server.received)
            with pytest.raises(RegistryUnavailableError):
                list(client.image_tags("team-a/api"))
            tries.append(len(server.received) - before)
        return tries

    assert tries_of_a_job(limits.RETRIES)[-1] < 1 + PATIENT.total
    assert tries_of_a_job(1) == [1 + PATIENT.total]


def test_a_job_keeps_the_distance_that_the_one_before_it_was_told(
    server: Any, reply_with: Any, time: Time, limiter: Limiter
) -> None:
    server.on("GET", LIST, reply_with(429, b"", {"Retry-After": "7"}), reply_with(200, b'{"tags": []}'))
    transport = Transport(limiter=limiter)

    for _ in range(2):
        client = DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=transport.for_job())
        list(client.image_tags("team-a/api"))

    assert sum(time.slept) > 7


@pytest.mark.slow
def test_many_threads_keep_one_distance(server: Any, reply_with: Any) -> None:
    server.on("GET", LIST, reply_with(200, b'{"tags": []}'))
    limiter = Limiter({"ecr:ListImages": 50.0})
    client = client_of(server, limiter)

    with ThreadPoolExecutor(8) as pool:
        began = limiter.now()
        list(pool.map(lambda _: list(client.image_tags("team-a/api")), range(26)))

    assert limiter.now() - began >= 25 / 50


@pytest.mark.parametrize("asked", ["soon", "Fri, 31 Dec 99999999 23:59:59 GMT", "-5"])
def test_nobody_waits_for_what_is_no_time_and_it_is_throttled_all_the_same(
    server: Any, reply_with: Any, limiter: Limiter, asked: str
) -> None:
    server.on("GET", LIST, reply_with(429, b"", {"Retry-After": asked}))
    server.on("POST", "/v2/team-a/api/blobs/uploads/", reply_with(429, b"", {"Retry-After": asked}))
    client = client_of(server, limiter)

    with pytest.raises(ThrottledError):
        list(client.image_tags("team-a/api"))
    with pytest.raises(ThrottledError):
        client.upload_blob("team-a/api", [b"blob"], Descriptor("text/plain", digest_of(b"blob"), 4))


def test_requests_that_wait_already_wait_on_when_another_one_is_refused(limiter: Limiter, time: Time) -> None:
    limiter.refused(PUT, 1)
    sleep = time.sleep

    def refused_meanwhile(seconds: float) -> None:
        sleep(seconds)
        if len(time.slept) == 1:
            limiter.refused(PUT, 5)

    limiter.sleep = refused_meanwhile
    limiter.wait(PUT, Budget())

    assert time.slept == [1, 5]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_always_wants_to_be_asked_again_at_once_is_left_soon(
    server: Any, reply_with: Any, limiter: Limiter, time: Time, status: int
) -> None:
    server.on("GET", LIST, reply_with(status, b"", {"Retry-After": "0"}))
    began = time.now
    client = client_of(server, limiter)

    for _ in range(10):  # such as the tries of ten blobs
        with pytest.raises(ThrottledError, match="may be asked again at once"):
            list(client.image_tags("team-a/api"))

    assert time.now - began <= limits.AT_ONCE_SECONDS


def test_another_job_asks_that_server_anew(server: Any, reply_with: Any, limiter: Limiter, time: Time) -> None:
    server.on("GET", LIST, reply_with(429, b"", {"Retry-After": "0"}))
    transport = Transport(limiter=limiter)

    def job() -> int:
        client = DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=transport.for_job())
        before = len(server.received)
        with pytest.raises(ThrottledError):
            list(client.image_tags("team-a/api"))
        return len(server.received) - before

    assert job() > 1
    assert job() >= 1


def test_a_server_is_not_left_when_it_answers_between_its_refusals(limiter: Limiter, time: Time) -> None:
    budget = Budget()
    for _ in range(10):
        limiter.refused(PUT, 1, at_once=budget)
        limiter.wait(PUT, budget)
        limiter.taken(PUT)
        budget.earn(PUT)

    assert time.now > limits.AT_ONCE_SECONDS
