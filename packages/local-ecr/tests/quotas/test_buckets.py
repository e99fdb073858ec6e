"""A bucket lets through what its rate says, however requests come; it costs some 20 ms."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr import EcrError, Quotas
from local_ecr.quotas.throttle import MOST_BUCKETS, Throttle, TokenBucket

START = datetime(2026, 12, 1, tzinfo=UTC)
RATES = st.floats(0.01, 3000)
GAPS = st.lists(st.one_of(st.just(0.0), st.floats(0, 3)), max_size=200)


def admitted(rate, gaps):
    """The moments of the requests that a new bucket lets through."""
    now = START.timestamp()
    bucket = TokenBucket.full(rate, now)
    found = []
    for gap in gaps:
        now += gap
        if bucket.take(now):
            found.append(now)
    return found


@given(RATES, GAPS)
def test_no_stretch_of_time_lets_more_through_than_its_rate_and_a_full_bucket(rate, gaps):
    moments = admitted(rate, gaps)

    for first, begin in enumerate(moments):
        for last in range(first, len(moments)):
            allowed = max(rate, 1) + (moments[last] - begin) * rate
            assert last - first + 1 <= allowed + 0.01


@given(RATES, st.integers(1, 200))
def test_every_request_is_let_through_when_they_keep_to_the_rate(rate, count):
    assert len(admitted(rate, [1 / rate + 1e-6] * count)) == count


@given(RATES, GAPS, st.floats(0, 1e6))
def test_a_clock_that_goes_back_refills_nothing_and_takes_nothing(rate, gaps, back):
    now = START.timestamp()
    bucket = TokenBucket.full(rate, now)
    for gap in gaps:
        now += gap
        bucket.take(now)
    before = bucket.credit

    took = bucket.take(now - back)

    assert bucket.credit == max(before - 1, 0) if took else bucket.credit == before
    assert bucket.take(now - back + 1 / rate + 1e-6)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


def let_through(throttle, account, region, operation, tries):
    done = 0
    for _ in range(tries):
        try:
            throttle.require(account, region, operation)
        except EcrError as refusal:
            assert (refusal.code, refusal.message, refusal.status) == ("ThrottlingException", "Rate exceeded", 400)
        else:
            done += 1
    return done


def test_accounts_regions_and_operations_have_buckets_of_their_own_which_time_refills():
    clock = Clock()
    throttle = Throttle(Quotas(), clock)
    places = [("111122223333", "us-east-1"), ("111122223333", "eu-west-1"), ("444455556666", "us-east-1")]

    assert [let_through(throttle, *place, "PutImage", 15) for place in places] == [10, 10, 10]
    assert let_through(throttle, *places[0], "InitiateLayerUpload", 150) == 100
    assert let_through(throttle, *places[0], "DescribeImages", 5000) == 5000
    clock.now += timedelta(seconds=0.5)
    assert [let_through(throttle, *place, "PutImage", 15) for place in places] == [5, 5, 5]
    clock.now += timedelta(hours=1)
    assert let_through(throttle, *places[0], "PutImage", 15) == 10


def test_nothing_is_throttled_without_quotas():
    assert let_through(Throttle(None, Clock()), "111122223333", "us-east-1", "PutImage", 1000) == 1000


def test_buckets_of_ever_new_accounts_take_no_more_memory_and_forget_the_one_that_rests():
    throttle = Throttle(Quotas(rates={"PutImage": 1}), Clock())
    for number in range(MOST_BUCKETS - 1):
        assert let_through(throttle, f"{number:012}", "us-east-1", "PutImage", 1) == 1
    assert let_through(throttle, f"{0:012}", "us-east-1", "PutImage", 1) == 0
    for number in range(MOST_BUCKETS, MOST_BUCKETS + 2):
        assert let_through(throttle, f"{number:012}", "us-east-1", "PutImage", 1) == 1

    assert len(throttle._buckets) == MOST_BUCKETS
    assert let_through(throttle, f"{0:012}", "us-east-1", "PutImage", 1) == 0
    assert let_through(throttle, f"{1:012}", "us-east-1", "PutImage", 1) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", None),
        ("ecr", Quotas()),
        ("0.1", Quotas(0.1)),
        (" 2, PutImage=50 ,DescribeImages=0.5", Quotas(2, {"PutImage": 50, "DescribeImages": 0.5})),
        ("ecr,repositories=9", Quotas(repositories=9)),
    ],
)
def test_quotas_are_read_as_they_are_written(text, expected):
    assert Quotas.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it begins with none, ecr or a factor"),
        ("aws", "it begins with none, ecr or a factor"),
        ("none,PutImage=5", "it begins with none, ecr or a factor"),
        ("0", "factor: not a number above 0: 0.0"),
        ("-1", "factor: not a number above 0: -1.0"),
        ("nan", "it begins with none, ecr or a factor"),
        ("inf", "it begins with none, ecr or a factor"),
        ("ecr,PutImage", "not OPERATION=RATE, such as PutImage=50: 'PutImage'"),
        ("ecr,PutImage=0", "PutImage: not a number above 0"),
        ("ecr,PutImages=5", "ECR has no operation 'PutImages' (did you mean 'PutImage'?)"),
        ("ecr,repositories=1.5", "repositories: not a whole number above 0: 1.5"),
        ("ecr,repositories=0", "repositories: not a whole number above 0: 0"),
    ],
)
def test_what_is_no_quota_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError) as refused:
        Quotas.parse(text)
    assert why in str(refused.value)


def test_a_factor_is_for_the_published_rates_and_not_for_those_that_are_named():
    quotas = Quotas(0.1, {"PutImage": 7, "ListImages": 5})

    assert [quotas.rate_of(one) for one in ("BatchGetImage", "PutImage", "ListImages")] == [200, 7, 5]
    assert quotas.rate_of("DescribeImages") is None
