"""Rulebooks that would make a careless reader hang, guess or lie: each gives a clear error or the right answer."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.rulebook_commands import validate_files

TODAY = date(2026, 11, 26)
type Check = Callable[[str], list[Finding]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """What is wrong with a rulebook."""

    def validate(text: str) -> list[Finding]:
        path = tmp_path / "ecr-steward.yaml"
        path.write_text(text, encoding="utf-8")
        return validate_files([path], TODAY)

    return validate


def codes(findings: list[Finding]) -> list[str]:
    return [f"{finding.place.line}:{finding.place.column} {finding.code}" for finding in findings]


def rules(*lines: str) -> str:
    return "version: 1\nrules:\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nrules:\n\t- name: a\n", ["3:1 ES005"]),
        (rules("- name: a", "  name: b", "  match: {repositories: ['**']}"), ["4:3 ES012"]),
        (rules("- &a", "  name: a", "  match: *a"), ["3:3 ES009"]),
        (rules("- name: a", "  <<: {mode: enforce}"), ["4:3 ES011"]),
        (rules("- {name: a, match: {repositories: ['**']}, final: true}", "--- ", "version: 1"), ["4:1 ES014"]),
        ("[1, 2]\n", ["1:1 ES106"]),
        ("rulebook\n", ["1:1 ES106"]),
    ],
)
def test_the_place_is_told_when_yaml_says_what_no_rulebook_can(check: Check, text: str, expected: list[str]) -> None:
    assert codes(check(text)) == expected


def test_profiles_that_go_in_a_circle_are_told_once_each(check: Check) -> None:
    profiles = "profiles:\n- {name: a, extends: [b]}\n- {name: b, extends: [c]}\n- {name: c, extends: [a]}\n"
    found = check(profiles + rules("- {name: r, match: {repositories: ['**']}, extends: [a]}"))

    assert {finding.code for finding in found} == {"ES311"}
    assert [finding.place.line for finding in found] == [2, 3, 4]


def test_an_alias_is_the_value_of_its_anchor_when_it_holds_itself_nowhere(check: Check) -> None:
    first = (
        "- {name: a, match: {repositories: &teams ['team-*/**'], regions: [eu-west-1]}, image_tags: {deny: [latest]}}"
    )

    assert check(rules(first, "- {name: b, match: {repositories: *teams}, image_tags: {allow: [semver]}}")) == []


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "([a-z]+)*\\\\d", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_an_image_tag_is_decided_when_its_pattern_explodes_elsewhere(check: Check, pattern: str) -> None:
    rule = f'- {{name: a, match: {{repositories: ["**"]}}, image_tags: {{deny: [{{regex: "{pattern}"}}]}}}}'
    assert check(rules(rule)) == []

    assert not tag_matcher(RegexPattern(regex=pattern.replace("\\\\", "\\"))).matches("a" * 100_000 + "!")


def test_a_repository_pattern_of_many_wildcards_is_decided(check: Check) -> None:
    glob = "/".join(["**", "a*a*a*"] * 12)
    first = f"- {{name: a, match: {{repositories: ['{glob}']}}, final: true}}"
    others = [f"- {{name: b{n}, match: {{repositories: ['{'a' * 20}/{n}/**']}}, final: true}}" for n in range(20)]

    assert check(rules(first, *others)) == []


@pytest.mark.slow
def test_each_mistake_has_its_place_among_a_thousand_rules_up_to_a_hundred(check: Check) -> None:
    def rule(number: int, key: str) -> str:
        return f"- {{{key}: r{number}, match: {{repositories: [team-{number}/**]}}, image_tags: {{deny: [latest]}}}}"

    right = check(rules(*(rule(number, "name") for number in range(1_000))))
    wrong = check(rules(*(rule(number, "nmae") for number in range(1_000))))

    assert right == []
    assert codes(wrong) == [f"{line}:4 ES101" for line in range(3, 103)]
    assert {finding.hint for finding in wrong} == {"did you mean `name`?"}
