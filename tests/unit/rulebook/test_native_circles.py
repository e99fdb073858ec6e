"""Where ECR itself replicates both ways: a rule that names no region copies nothing, and `validate` says so."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.one_source import Fault
from ecr_steward.rulebook.validate import validate
from tests.given.replicating import (
    AWAY,
    FAR,
    FROM_EU,
    FROM_US,
    HERE,
    ONE,
    REGIONS,
    RELEASE,
    THREE,
    TWO,
    US,
    copying,
    found,
    objections,
    objections_to,
    only,
    own,
    replicating,
    rulebook,
)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([replicating("production", {}, HERE, AWAY)], id="one list for all"),
        pytest.param([replicating("production", {"regions": ["us-*", "eu-*"]}, HERE, AWAY)], id="patterns"),
        pytest.param([replicating("production", {"accounts": [ONE]}, HERE, AWAY)], id="an account"),
        pytest.param([replicating("production", FROM_US, AWAY), replicating("back", FROM_EU, HERE)], id="two entries"),
        pytest.param([replicating("production", {}, HERE, AWAY, prefixes=["team/b/"])], id="few names"),
        pytest.param([replicating("production", {}, HERE, AWAY, mode="enforce")], id="enforced"),
        pytest.param([replicating("production", {}, HERE, AWAY, FAR)], id="three regions"),
    ],
)
def test_a_rule_that_names_no_region_is_refused_where_ecr_replicates_both_ways(entries):
    assert found([copying("releases", {}, RELEASE)], *entries) == [("0.0.0", "ES516")]


def test_a_rule_that_names_no_account_is_refused_where_ecr_replicates_both_ways_between_accounts():
    both = [
        replicating("to", {"accounts": [ONE]}, {"account": TWO}),
        replicating("fro", {"accounts": [TWO]}, {"account": ONE}),
    ]

    assert found([copying("releases", {}, RELEASE)], *both) == [("0.0.0", "ES516")]
    assert found([copying("releases", {"accounts": [ONE]}, RELEASE)], *both) == []


def test_a_rule_is_refused_where_ecr_replicates_both_ways_in_an_account_that_only_the_entry_names():
    rule = copying("releases", {"repositories": ["team-*/**"]}, RELEASE)
    entry = replicating("production", {"accounts": [THREE]}, HERE, AWAY, prefixes=["team-b/"])

    assert found([rule], entry) == [("0.0.0", "ES516")]


def test_a_rule_is_valid_where_ecr_replicates_some_names_there_and_others_back():
    ways = [replicating("to", FROM_US, AWAY, prefixes=["team/"]), replicating("fro", FROM_EU, HERE, prefixes=["base/"])]

    assert found([copying("releases", {}, RELEASE)], *ways) == []


def test_the_refusal_says_which_entry_and_repository_and_what_to_do():
    assert only(
        [copying("releases", {}, RELEASE)], replicating("production", {"regions": REGIONS[:2]}, HERE, AWAY)
    ) == (
        "rules[0].replicate[0].to[0]: nothing is copied from eu-west-1/team/a/a: ECR replicates us-east-1/team/a/a "
        "there, as the entry `production` of `registries` says, and the other way round; expected `match.regions` that "
        "names the regions whose images the rule copies"
    )


MATCHES = st.fixed_dictionaries(
    {}, optional={"regions": st.lists(st.sampled_from(REGIONS), min_size=1, max_size=2, unique=True)}
)
ENTRIES = st.lists(
    st.tuples(
        MATCHES,
        st.lists(st.sampled_from([HERE, AWAY, FAR]), min_size=1, max_size=3, unique_by=str),
        st.sampled_from([(), ("team/",), ("release/",)]),
    ),
    min_size=1,
    max_size=3,
)
COPIES = st.lists(
    st.tuples(MATCHES, st.sampled_from([RELEASE, AWAY, {**AWAY, **RELEASE}, {**FAR, "repository": "x/{name}"}])),
    min_size=1,
    max_size=2,
)


@given(COPIES, ENTRIES)
def test_validate_and_the_steward_say_the_same_of_images_that_ecr_replicates_both_ways(copies, written):
    """`validate` knows no home, so it speaks of a steward in each region; other faults of the same rule come first."""
    rules = [copying(f"r{n}", match, to) for n, (match, to) in enumerate(copies)]
    entries = [replicating(f"e{n}", match, *to, prefixes=prefixes) for n, (match, to, prefixes) in enumerate(written)]
    problems = [each for each in validate(rulebook(rules, entries))[1] if each.path[0] == "rules"]
    before = ("", "release/", "x/", "x/release/", "release/x/", "release/release/", "x/x/")
    sources = [f"{each}team/a/a" for each in before]
    stopped = set()
    for home in (RegistryRef(ONE, region) for region in (*REGIONS, "us-west-2")):
        steward = own(rules, entries, home)
        for source, number in product((RepositoryRef(home, name) for name in sources), range(len(rules))):
            mine = [asked for asked in steward.asked_of(source) if asked.position == number]
            if Fault.REPLICATED_IN_A_CIRCLE in {each.fault for each in objections_to(steward, source, mine)}:
                stopped.add(number)

    assert stopped <= {each.path[1] for each in problems}
    assert {each.path[1] for each in problems if each.code.value == "ES516"} <= stopped


def test_a_steward_knows_what_other_regions_replicate_to_its_own():
    """Its homes are registries of its own region, and ECR brings images from others that entries name or lead to."""
    rules = [copying("releases", {}, RELEASE)]
    for entry in (
        replicating("e", {}, HERE, AWAY),
        replicating("e", {"regions": ["us-east-1", "eu-west-1"]}, HERE, AWAY),
    ):
        (objection,) = objections(own(rules, [entry], US), RepositoryRef(US, "team/a/a"))

        assert objection.fault is Fault.REPLICATED_IN_A_CIRCLE
        assert "ECR replicates 111122223333/eu-west-1/team/a/a there" in objection.why
