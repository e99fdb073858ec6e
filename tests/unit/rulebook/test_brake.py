"""How the rulebook says what a rule may take away."""

import pytest

from ecr_steward.domain.brake import Brake
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate


def book(rule=None, **sections):
    match = {"repositories": ["team-*/**"]}
    return {
        "version": 1,
        "rules": [{"name": "services", "match": match, "image_tags": {"deny": ["latest"]}, **(rule or {})}],
        **sections,
    }


def brake_of(document, rule="services"):
    rulebook, problems = validate(document)
    assert problems == ()
    return compile_rulebook(rulebook).brake_of(rule)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, Brake(50, 25)),
        ({"removals": 0}, Brake(0, 25)),
        ({"share": "0%"}, Brake(50, 0)),
        ({"removals": 10_000, "share": "100%"}, Brake(10_000, 100)),
    ],
)
def test_what_nobody_says_is_as_usual(said, meant):
    assert brake_of(book({"brake": said})) == meant
    assert brake_of(book()) == Brake(50, 25)


def test_a_brake_is_inherited_key_by_key_from_profiles_and_then_from_defaults():
    inherited = book(
        {"extends": ["careful"]},
        profiles=[{"name": "careful", "brake": {"removals": 5}}],
        defaults={"brake": {"removals": 7, "share": "10%"}},
    )
    own = book({"brake": {"share": "90%"}}, defaults={"brake": {"removals": 7, "share": "10%"}})

    assert brake_of(inherited) == Brake(5, 10)
    assert brake_of(own) == Brake(7, 90)


def test_steps_that_the_defaults_ask_for_have_the_brake_of_the_defaults():
    document = book(defaults={"brake": {"removals": 7}, "repository": {"scanning": "on_push"}})

    assert brake_of(document, "defaults") == Brake(7, 25)


@pytest.mark.parametrize(
    ("brake", "told"),
    [
        ({"share": 25}, "rules[0].brake.share"),
        ({"share": "25"}, "`25` is no share; expected whole percent from 0% to 100%, such as 25%"),
        ({"share": "101%"}, "`101%` is no share"),
        ({"share": "2.5%"}, "`2.5%` is no share"),
        ({"removals": -1}, "rules[0].brake.removals"),
        ({"removals": 10_001}, "rules[0].brake.removals"),
        ({"removals": True}, "rules[0].brake.removals"),
        ({"removal": 5}, "did you mean `removals`?"),
    ],
)
def test_the_reason_is_told_when_a_brake_is_wrong(brake, told):
    _, problems = validate(book({"brake": brake}))

    assert told in "; ".join(map(str, problems))


def test_a_rule_says_nothing_when_it_says_only_how_it_acts():
    document = book()
    document["rules"].append({"name": "idle", "match": {"repositories": ["x"]}, "mode": "enforce", "brake": {}})

    _, problems = validate(document)

    assert "the rule `idle` says nothing" in "; ".join(map(str, problems))
