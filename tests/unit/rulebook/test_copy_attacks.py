"""Rulebooks that try to have two sources, a circle or a forbidden tag without `validate` noticing it."""

from typing import Any

import pytest

from ecr_steward.rulebook.validate import validate

ONE, TWO, THREE, FOUR = "111122223333", "222233334444", "333344445555", "444455556666"
AWAY = {"region": "eu-west-1"}
EAST, WEST = {"regions": ["us-east-1"]}, {"regions": ["us-west-2"]}


def copying(names: str | list[str], to: dict[str, str], *, tags: list[Any] | None = None, **match: Any) -> Any:
    """A rule that copies the repositories of these names, perhaps only some image tags of them."""
    names = [names] if isinstance(names, str) else names
    entry = {"to": [to], **({"images": {"tags": tags}} if tags else {})}
    return {"match": {"repositories": names, **match}, "replicate": [entry]}


def codes(*rules: Any, **keys: Any) -> set[str]:
    """What is wrong with these rules."""
    named = [{"name": f"rule-{number}", **rule} for number, rule in enumerate(rules)]
    return {problem.code.value for problem in validate({"version": 1, "rules": named, **keys})[1]}


def deciding(*names: str, **keys: Any) -> Any:
    """A rule about some repositories."""
    return {"match": {"repositories": list(names), **keys.pop("more", {})}, **keys}


TWO_SOURCES = {
    "resource tags that tell them apart today": [
        copying("a/**", {"repository": "r/x"}, resource_tags={"t": "1"}),
        copying("b/y", {"repository": "r/x"}),
    ],
    "tags by an expression and by name": [
        copying("**", AWAY, tags=[{"regex": "v1.*"}], **EAST),
        copying("**", AWAY, tags=["v1.0"], **WEST),
    ],
    "a suffix that meets a prefix": [
        copying("xx", {**AWAY, "repository": "{name}/yy"}, **EAST),
        copying("yy", {**AWAY, "repository": "xx/{name}"}, **WEST),
    ],
    "a host that is spelled otherwise": [
        copying("a/x", {"registry": "ghcr.io:443", "repository": "o/x"}, accounts=[ONE], **EAST),
        copying("b/x", {"registry": "GHCR.io", "repository": "o/x"}, accounts=[ONE], **EAST),
    ],
    "globs that meet in the depth": [
        copying("**/app/**", AWAY, **EAST),
        copying("team-*/**/web", AWAY, **WEST),
    ],
}


@pytest.mark.parametrize("rules", [pytest.param(rules, id=name) for name, rules in TWO_SOURCES.items()])
def test_two_sources_of_one_place_are_found(rules: list[Any]) -> None:
    assert codes(*rules) == {"ES512"}


B_TO_A, A_TO_B = copying("b/**", {"repository": "a/{name}"}), copying("a/**", {"repository": "b/{name}"})
RUNAWAYS = {
    "four accounts": [
        copying("**", {"account": to}, accounts=[of])
        for of, to in ((ONE, TWO), (TWO, THREE), (THREE, FOUR), (FOUR, ONE))
    ],
    "another name on the way back": [
        copying("**", {"account": TWO, "repository": "x/{name}"}, accounts=[ONE]),
        copying("x/**", {"account": ONE, "repository": "y/{name}"}, accounts=[TWO]),
    ],
    "a final rule that resource tags may switch off": [
        deciding("b/**", final=True, image_tags={"deny": ["x"]}, more={"resource_tags": {"x": "y"}}),
        A_TO_B,
        B_TO_A,
    ],
}


@pytest.mark.parametrize("rules", [pytest.param(rules, id=name) for name, rules in RUNAWAYS.items()])
def test_copies_that_come_back_are_found(rules: list[Any]) -> None:
    assert codes(*rules) & {"ES504", "ES505"}


def test_copies_that_come_back_by_defaults_are_found() -> None:
    defaults = {"replicate": [{"to": [{"repository": "a/{name}"}]}]}

    assert "ES504" in codes(deciding("a/**", "b/**", image_tags={"deny": ["x"]}), defaults=defaults)


def test_copies_that_come_back_by_a_profile_are_found() -> None:
    profile = {"name": "p", "replicate": [{"to": [{"repository": "b/{name}"}]}]}

    assert "ES504" in codes(deciding("a/**", extends=["p"]), B_TO_A, profiles=[profile])


def test_a_tag_that_the_destination_does_not_allow_is_found() -> None:
    there = deciding("dst/**", mode="enforce", image_tags={"allow": ["semver"]})

    assert codes(copying("src/**", {"repository": "dst/{name}"}, tags=["main"]), there) == {"ES514"}


RIGHT = {
    "one repository is left": [copying(["a/x", "a/y"], {**AWAY, "repository": "r/all"}, exclude=["a/y"], **EAST)],
    "one source in two entries": [
        {
            "match": {"repositories": ["a/**"], **EAST},
            "replicate": [{"to": [AWAY], "images": {"tags": [tags]}} for tags in ("1.*", "2.*")],
        }
    ],
    "the destination only observes": [
        copying("src/**", {"repository": "dst/{name}"}, tags=["main"]),
        deciding("dst/**", image_tags={"deny": ["main"]}),
    ],
}


@pytest.mark.parametrize("rules", [pytest.param(rules, id=name) for name, rules in RIGHT.items()])
def test_nothing_is_found_where_nothing_is_wrong(rules: list[Any]) -> None:
    assert codes(*rules) == set()


def test_a_final_rule_ends_a_circle_and_the_rule_that_it_hides_is_found() -> None:
    final = deciding("b/**", final=True, image_tags={"deny": ["x"]})

    assert codes(final, A_TO_B, B_TO_A) == {"ES302"}
