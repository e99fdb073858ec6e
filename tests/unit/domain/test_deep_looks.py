"""Each repository is looked at deeply by about one sweep a week, and not all by the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.sweeping import looks_deep

HOME = RegistryRef("111122223333", "us-east-1")
WEEK = timedelta(days=7)
names = st.from_regex(r"[a-z0-9]{2,12}(/[a-z0-9]{2,12})?", fullmatch=True)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(names, moments, st.sampled_from([timedelta(hours=1), timedelta(hours=4), timedelta(days=1), WEEK]))
def test_one_sweep_of_a_week_looks_deep(name: str, first: datetime, every: timedelta) -> None:
    sweeps = [first + n * every for n in range(WEEK // every)]

    assert sum(looks_deep(RepositoryRef(HOME, name), now, every) for now in sweeps) == 1


def test_the_looks_are_spread_over_the_week() -> None:
    repositories = [RepositoryRef(HOME, f"team-a/service-{number}") for number in range(1680)]
    first = datetime(2026, 12, 3, 9, 17, tzinfo=UTC)
    by_hour = [
        sum(looks_deep(each, first + timedelta(hours=hour), timedelta(hours=1)) for each in repositories)
        for hour in range(7 * 24)
    ]

    assert sum(by_hour) == len(repositories)
    assert max(by_hour) < 30, "ten in an hour on average"
