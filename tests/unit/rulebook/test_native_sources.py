"""What ECR itself replicates as a source, by `validate` and when it comes to a copy: both say the same."""

from dataclasses import replace
from itertools import product

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.one_source import Fault, OneSource
from ecr_steward.rulebook.compile_registries import replicating_rule
from ecr_steward.rulebook.model import Rulebook
from tests.given.replicating import (
    AP,
    AWAY,
    EU,
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
    only,
    own,
    replicating,
    rulebook,
)


@pytest.mark.parametrize(
    ("match", "to", "entry"),
    [
        pytest.param(FROM_US, [AWAY], replicating("e", FROM_US, AWAY), id="the same source by ECR and by a rule"),
        pytest.param({}, [AWAY], replicating("e", {}, AWAY), id="the same, in whichever region"),
        pytest.param({}, [RELEASE], replicating("e", {}, AWAY), id="ECR goes one way"),
        pytest.param(FROM_US, [RELEASE], replicating("e", {}, HERE, AWAY), id="both ways, and one is named"),
        pytest.param(FROM_US, [RELEASE], replicating("e", {"regions": REGIONS}, HERE, AWAY, FAR), id="three regions"),
        pytest.param({}, [RELEASE], replicating("e", {}, HERE, AWAY, prefixes=["base/"]), id="other names both ways"),
        pytest.param(FROM_US, [AWAY], replicating("e", FROM_EU, HERE, prefixes=["base/"]), id="other names back"),
        pytest.param(FROM_US, [AWAY], replicating("e", FROM_EU, FAR), id="another destination"),
        pytest.param(
            FROM_US, [{**AWAY, **RELEASE}], replicating("e", FROM_US, AWAY, prefixes=["team/"]), id="another name"
        ),
        pytest.param(
            FROM_US, [RELEASE, {**AWAY, **RELEASE}], replicating("e", FROM_US, AWAY, prefixes=["team/"]), id="both"
        ),
        pytest.param(
            FROM_US, [RELEASE, {**AWAY, **RELEASE}], replicating("e", FROM_US, AWAY, prefixes=["release/"]), id="after"
        ),
        pytest.param(
            {"accounts": [ONE]},
            [{"account": TWO}],
            replicating("e", {"accounts": [ONE]}, {"account": TWO}),
            id="account",
        ),
    ],
)
def test_a_copy_is_valid_beside_what_ecr_replicates_where_each_place_has_one_source(match, to, entry):
    assert found([copying("services", match, *to)], entry) == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_place_that_ecr_replicates_to_has_a_source_whatever_the_modes(mode):
    rule = copying("services", FROM_US, {**AWAY, "repository": "release/{name}"}, mode=mode)
    entry = replicating("production", {"regions": ["ap-south-1"]}, AWAY, prefixes=["release/"], mode=mode)

    assert only([rule], entry) == (
        "rules[0].replicate[0].to[0]: nothing is copied to eu-west-1/release/team/a/a: ECR replicates "
        "ap-south-1/release/team/a/a to the same place, as the entry `production` of `registries` says; expected a "
        "place that ECR does not replicate to, or only from the source"
    )


@pytest.mark.parametrize(
    ("match", "to", "entries"),
    [
        pytest.param(FROM_US, [FAR], [replicating("e", FROM_EU, FAR)], id="another region"),
        pytest.param(FROM_US, [FAR], [replicating("e", {"regions": ["eu-*"]}, AWAY, FAR)], id="a pattern of regions"),
        pytest.param(
            {"accounts": [ONE], **FROM_US},
            [{"account": TWO, **AWAY}],
            [replicating("e", {"accounts": [THREE], **FROM_US}, {"account": TWO, **AWAY})],
            id="another account",
        ),
        pytest.param(
            {"repositories": ["xx", "team-*/api"], **FROM_US},
            [{**AWAY, "repository": "p/{name}"}],
            [replicating("e", {"regions": ["ap-south-1"]}, AWAY, prefixes=["p/team-b/"])],
            id="a prefix that few arrivals have",
        ),
        pytest.param(
            {"repositories": ["prod*"], **FROM_US},
            [{**AWAY, "repository": "{name}"}],
            [replicating("e", {"regions": ["ap-south-1"]}, AWAY, prefixes=["prod-"])],
            id="a prefix within a segment",
        ),
        pytest.param(
            FROM_US,
            [FAR],
            [replicating("none", {"accounts": [ONE]}, HERE), replicating("e", FROM_EU, FAR)],
            id="an entry that decides for another account alone",
        ),
    ],
)
def test_a_copy_to_where_ecr_replicates_another_repository_is_refused(match, to, entries):
    assert {code for _, code in found([copying("services", match, *to)], *entries)} == {"ES512"}


def test_two_rules_that_copy_to_places_which_ecr_replicates_both_ways_are_refused():
    rules = [copying(name, match, RELEASE) for name, match in (("us", FROM_US), ("eu", FROM_EU))]
    entry = replicating("e", {"regions": ["us-east-1", "eu-west-1"]}, HERE, AWAY, prefixes=["release/"])

    assert sorted(found(rules, entry)) == [("0.0.0", "ES512"), ("1.0.0", "ES512")]
    assert found(rules[:1], entry) == []


def test_the_first_entry_that_decides_a_registry_is_what_ecr_replicates():
    rule = copying("services", FROM_US, FAR)
    first = {"name": "first", "match": {"regions": ["eu-*"]}, "replication": {"foreign": "remove"}}

    assert found([rule], first, replicating("second", {"regions": ["eu-west-1", "eu-north-1", "us-west-2"]}, FAR)) == [
        ("0.0.0", "ES512")
    ]
    assert found([rule], first, replicating("second", {"regions": ["eu-west-1", "us-east-1"]}, FAR)) == []


@pytest.mark.parametrize(
    ("rules", "entries"),
    [
        pytest.param([copying("a", FROM_EU, HERE)], [replicating("e", FROM_US, AWAY)], id="one and one"),
        pytest.param([copying("a", FROM_US, AWAY)], [replicating("e", {}, HERE, AWAY)], id="ECR goes both ways"),
        pytest.param(
            [
                copying("a", FROM_US, {**HERE, "repository": "x/a"}, repositories=None),
                copying("b", {**FROM_EU, "repositories": ["x/a"]}, {**HERE, "repository": "team/a"}),
            ],
            [replicating("e", FROM_US, AWAY, prefixes=["x/"])],
            id="rule, ECR, rule",
        ),
        pytest.param(
            [
                copying("a", FROM_US, {"repository": "x/{name}"}),
                copying("b", {**FROM_EU, "repositories": ["x/team/**"]}, {"repository": "y/{name}"}),
                copying("c", {**FROM_US, "repositories": ["y/x/team/a"]}, {"repository": "team/a"}),
            ],
            [
                replicating("there", FROM_US, AWAY, prefixes=["x/"]),
                replicating("back", FROM_EU, HERE, prefixes=["y/"]),
            ],
            id="rule, ECR, rule, ECR, rule",
        ),
    ],
)
def test_a_circle_of_copies_and_of_what_ecr_replicates_is_refused(rules, entries):
    for rule in rules:
        if rule.pop("repositories", 1) is None:
            rule["match"]["repositories"] = ["team/a"]

    assert {code for _, code in found(rules, *entries)} == {"ES505"}


@pytest.mark.parametrize("to", [HERE, {**AWAY, "account": ONE}])
def test_a_steward_knows_what_ecr_replicates_from_where_a_rule_copies_to(to):
    """The entry is carried out in the destination of the rule, too, which is none of the homes."""
    home, source = (US, RepositoryRef(US, "team/a")) if to == HERE else (EU, RepositoryRef(EU, "team/a"))
    rules = [copying("a", {}, AWAY if to == HERE else HERE)]
    entries = [replicating("e", {}, to)]

    assert found(rules, *entries) == [("0.0.0", "ES505")]
    (objection,) = objections(own(rules, entries, home), source)
    assert objection.fault is Fault.COMES_BACK


def test_a_circle_names_ecr_the_repository_and_the_entry():
    assert only([copying("a", FROM_EU, HERE)], replicating("production", FROM_US, AWAY)) == (
        "rules[0].replicate[0].to[0]: nothing is copied to us-east-1/team/a/a: it would come back there, by "
        "us-east-1/team/a/a -> eu-west-1/team/a/a; ECR replicates us-east-1/team/a/a, as the entry `production` of "
        "`registries` says; expected a `match` without one of them, or a rule above that exempts it"
    )


def test_ecr_does_not_replicate_what_it_has_replicated():
    """What arrives in Europe by ECR does not go on from there by ECR, so nothing comes back to where it began."""
    rules = [
        copying("a", {"regions": ["ap-south-1"], "repositories": ["team/a"]}, {**HERE, "repository": "x/{name}"}),
        copying("b", {"regions": ["ap-south-1"], "repositories": ["x/team/a"]}, {"repository": "team/a"}),
    ]
    there, on = replicating("there", FROM_US, AWAY, prefixes=["x/"]), replicating("on", FROM_EU, FAR, prefixes=["x/"])

    assert objections(own(rules, [there, on], US, EU, AP), RepositoryRef(AP, "team/a")) == []
    at_once = replicating("there", FROM_US, AWAY, FAR, prefixes=["x/"])
    (objection,) = objections(own(rules, [at_once, on], US, EU, AP), RepositoryRef(AP, "team/a"))
    assert objection.fault is Fault.COMES_BACK


def test_what_ecr_replicates_is_no_copy_too_many():
    ways = [("us-east-1", "n0", "n1"), ("eu-west-1", "n1", "n2"), ("eu-west-1", "n2", "n3"), ("eu-west-1", "n3", "n4")]
    ways.append(("eu-west-1", "n4", "n5"))
    rules = [
        copying(name, {"regions": [region], "repositories": [name]}, {"repository": to}) for region, name, to in ways
    ]
    entry = replicating("e", FROM_US, AWAY, prefixes=["n1"])

    assert found(rules[:4], entry) == []
    assert found(rules, entry) == [("4.0.0", "ES504")]


def test_a_replica_by_ecr_is_copied_on_by_a_rule_that_names_its_region():
    entry = replicating("e", FROM_US, AWAY, prefixes=["team/"])
    replica = RepositoryRef(EU, "team/a")

    (objection,) = objections(own([copying("all", {}, RELEASE)], [entry], EU), replica)
    assert objection.fault is Fault.REPLICA_NOT_NAMED
    assert str(objection) == (
        "nothing is copied on from 111122223333/eu-west-1/team/a, where ECR replicates 111122223333/us-east-1/team/a "
        "to, as the entry `e` of `registries` says; expected `match.regions` that names it, where it is to go on"
    )
    assert objections(own([copying("all", FROM_EU, RELEASE)], [entry], EU), replica) == []
    assert objections(own([copying("all", {}, RELEASE)], [entry], US), RepositoryRef(US, "team/a")) == []


def test_what_ecr_replicates_to_an_account_that_no_rule_names_needs_no_rule():
    """`match.accounts` is asked of rules alone: ECR asks none."""
    entry = replicating("e", {"accounts": [ONE]}, {"account": TWO})
    rules = [copying("all", {"accounts": [THREE]}, {"account": TWO})]
    homes = [RegistryRef(account, "us-east-1") for account in (ONE, TWO, THREE)]

    (objection,) = objections(own(rules, [entry], *homes), RepositoryRef(homes[2], "team/a"))

    assert objection.fault is Fault.SEVERAL_SOURCES
    assert "ECR replicates 111122223333/us-east-1/team/a to the same place" in objection.why


def test_an_account_that_is_not_connected_brings_nothing():
    both = [
        replicating("to", {"accounts": [ONE]}, {"account": TWO}),
        replicating("fro", {"accounts": [TWO]}, {"account": ONE}),
    ]
    rules, source = [copying("all", {}, RELEASE)], RepositoryRef(US, "team/a")

    assert objections(own(rules, both, US), source) == []
    (objection,) = objections(own(rules, both, US, RegistryRef(TWO, "us-east-1")), source)
    assert objection.fault is Fault.REPLICATED_IN_A_CIRCLE


def test_of_two_entries_for_a_registry_the_first_decides_whichever_names_the_account():
    none = {"name": "none", "match": {"regions": ["eu-*"]}, "replication": {"foreign": "remove"}}
    some = replicating("some", {"accounts": [ONE], **FROM_EU}, FAR)
    rules, source = [copying("services", FROM_US, FAR)], RepositoryRef(US, "team/a")

    assert objections(own(rules, [none, some], US, EU), source) == []
    (objection,) = objections(own(rules, [some, none], US, EU), source)
    assert objection.fault is Fault.SEVERAL_SOURCES


def test_a_region_that_no_rule_names_has_images_too():
    rule, entry = copying("a", {}, {**HERE, **RELEASE}), replicating("e", {}, HERE, prefixes=["release/"])

    assert found([rule], entry) == [("0.0.0", "ES512")]


def test_many_entries_leave_rules_their_places():
    rules = [copying("x", {"repositories": ["team-*/api"]}, {**AWAY, "repository": "x/{name}"})]
    rules.append(copying("y", {"repositories": ["api"], **FROM_US}, {**AWAY, "repository": "x/team-b/{name}"}))
    rules[0]["match"]["regions"] = ["us-west-2"]
    accounts = [f"{number:012}" for number in range(1, 31)]
    entries = [
        replicating(f"e{n}", {"accounts": [account]}, AWAY, FAR, prefixes=[f"p{n}-{each}/" for each in range(20)])
        for n, account in enumerate(accounts)
    ]

    assert {code for _, code in found(rules, *entries)} == {"ES512"}


def test_what_ecr_replicates_is_asked_of_each_registry_once():
    """Registries are not multiplied with registries."""
    homes = [RegistryRef(f"{number:012}", region) for number, region in product(range(300), REGIONS)]
    asked = []
    entry = replicating_rule(
        Rulebook.model_validate(rulebook([copying("a", {}, RELEASE)], [replicating("e", {}, AWAY)])).registries[0]
    )

    def wanted(registry):
        asked.append(registry)
        return entry.wanted(registry)

    rules = replace(own([copying("a", {}, RELEASE)], []).rules, registries=(replace(entry, wanted=wanted),))
    one_source = OneSource(rules, tuple(homes))
    for home in homes[:6]:
        objections(one_source, RepositoryRef(home, "team/a"))

    assert len(asked) == len(homes) + 1
