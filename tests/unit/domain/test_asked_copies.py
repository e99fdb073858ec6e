"""Copies by where they arrive: found by an index, and by looking at everything."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.asked_copies import AskedCopies, leaves_unnamed_account
from ecr_steward.domain.names import AnyRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Destination, Match, OtherDestination, ReplicationRules, Rule, Rules
from tests.given.rules import Pattern

ACCOUNTS, REGIONS = ("111122223333", "222233334444"), ("us-east-1", "eu-west-1")
HOMES = tuple(RegistryRef(*each) for each in product(ACCOUNTS, REGIONS))
NAMES = ("aa", "ab", "x/aa", "x/ab", "aa/y", "x/aa/y", "x/x/aa")
PLACES = [RepositoryRef(home, name) for home in HOMES for name in NAMES]


def patterns(*spelled: str) -> st.SearchStrategy[tuple[Pattern, ...]]:
    return st.lists(st.sampled_from(spelled), max_size=2, unique=True).map(lambda some: tuple(map(Pattern, some)))


DESTINATIONS = st.builds(
    Destination,
    st.sampled_from([None, *REGIONS]),
    st.sampled_from([None, "x/{name}", "{name}/y", "x/{name}/y"]),
    st.sampled_from([None, *ACCOUNTS]),
)
OTHERS = st.builds(OtherDestination, st.just("ghcr.io"), st.sampled_from([None, "x/{name}"]))
MATCHES = st.builds(
    Match,
    repositories=patterns("aa", "x/.*", "a.*", ".*", ".*/y").filter(bool),
    accounts=patterns(*ACCOUNTS, "1.*", ".*"),
    regions=patterns(*REGIONS, "eu-.*"),
    exclude=patterns("x/.*"),
)
REPLICATIONS = st.builds(
    ReplicationRules,
    st.lists(DESTINATIONS, max_size=2).map(tuple),
    elsewhere=st.lists(OTHERS, max_size=1).map(tuple),
)
COPIES = st.none() | st.lists(REPLICATIONS, max_size=2).map(tuple)
RULES = st.builds(Rule, st.just("some"), MATCHES, replicate=COPIES, is_final=st.booleans())
DEFAULTS = st.builds(Rule, st.just("defaults"), st.just(Match((Pattern(".*"),))), replicate=COPIES)
"""As a rulebook's are compiled: they match everything, and hold where another rule covers a repository."""


@given(st.lists(RULES, max_size=4), st.none() | DEFAULTS)
def test_all_sources_of_a_place_are_found_by_the_index(rules: list[Rule], defaults: Rule | None) -> None:
    copies = AskedCopies(Rules(tuple(rules), defaults=defaults), HOMES)
    arrivals = [
        (source, asked, to)
        for source in PLACES
        for asked in copies.of(source)
        if (to := asked.arrival(source)) != source
    ]
    places: set[AnyRepository] = {*PLACES, *(to for _, _, to in arrivals if to)}

    found = {
        (source, asked.position, asked.entry, asked.destination, to)
        for to in places
        for source, asked in copies.into(to)
        if source in PLACES
    }

    assert found == {
        (source, asked.position, asked.entry, asked.destination, to)
        for source, asked, to in arrivals
        if to and not leaves_unnamed_account(asked.rule, source, to)
    }


@given(st.lists(RULES, max_size=4), st.none() | DEFAULTS)
def test_the_rules_that_may_decide_are_found_by_the_index(rules: list[Rule], defaults: Rule | None) -> None:
    copies = AskedCopies(Rules(tuple(rules), defaults=defaults), HOMES)

    for source in PLACES:
        deciding: list[Rule] = []
        for rule in rules:
            if rule.match.may_cover(source):
                deciding.append(rule)
                if rule.is_final or rule.replicate is not None:
                    break
        else:
            deciding += [defaults] if deciding and defaults else []
        assert list(copies.deciding(source)) == deciding
