"""What ``image_tags`` can ask for: labels, annotations, companions, protection, and aliases that move."""

import json
from datetime import date, timedelta

import pytest

from ecr_steward.domain.tag_rules import AliasMove, CompanionRules, OnViolation
from ecr_steward.rulebook.checks import notes
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.validate import validate


@pytest.fixture
def compiled(with_rule):
    """The compiled ``image_tags`` of a rule."""

    def compile_(repository=None, **image_tags):
        keys = {"image_tags": image_tags} | ({"repository": repository} if repository else {})
        rulebook, problems = validate(with_rule(**keys))
        assert problems == ()
        again = Rulebook.model_validate(json.loads(rulebook.model_dump_json(by_alias=True, exclude_unset=True)))
        assert again == rulebook
        return compile_rulebook(rulebook).rules[0].image_tags

    return compile_


@pytest.mark.parametrize("key", ["labels", "annotations"])
def test_a_requirement_is_a_key_alone_or_with_a_pattern_when_compiled(compiled, key):
    rules = compiled(**{key: {"required": ["team", {"key": "revision", "pattern": "[0-9a-f]{40}"}]}})

    team, revision = getattr(rules, key)
    assert (team.key, team.pattern) == ("team", None)
    assert (revision.key, revision.pattern.spelling) == ("revision", "[0-9a-f]{40}")
    assert [revision.pattern.matches(text) for text in ("a" * 40, "a" * 41, "x" + "a" * 40)] == [True, False, False]
    assert rules.asks_for_content


@pytest.mark.parametrize(
    ("within", "time"),
    [("0m", 0), ("30m", 30), ("90m", 90), ("1h", 60), ("2d", 2 * 24 * 60), ("9999d", 9999 * 24 * 60), (None, 60)],
)
def test_companions_are_waited_for_as_long_as_is_written_when_compiled(compiled, within, time):
    required = {"required": [{"artifact_type": "application/spdx+json"}, "cosign_signature"]}

    rules = compiled(companions=required | ({"within": within} if within else {}))

    assert rules.companions == CompanionRules(("application/spdx+json",), True, timedelta(minutes=time))


def test_protected_tags_are_patterns_when_compiled(compiled):
    rules = compiled(protect=["release-*", {"regex": "v[0-9]+"}])

    assert [rules.protects(tag) for tag in ("release-1", "v2", "v2-rc", "1.4.2")] == [True, True, False, False]
    assert not rules.asks_for_content


@pytest.mark.parametrize("answer", OnViolation)
def test_every_answer_is_one_of_the_rulebook_when_compiled(compiled, answer):
    assert compiled(on_violation=str(answer)).on_violation is answer


def test_aliases_follow_the_calendar_when_the_rulebook_says_so(compiled):
    aliases = compiled(aliases={"from": "calver", "add": ["{year}-latest"]}).aliases

    assert aliases.version_of("2026.11").parts == {"year": "2026", "month": "11"}
    assert aliases.version_of("1.4.2") is None
    assert aliases.move is AliasMove.RETAG


def test_the_days_after_which_tags_expire_are_those_of_the_rulebook_when_compiled(compiled):
    (first, second) = compiled(
        expire=[{"tags": ["pr-*", {"regex": "dev-[0-9]+"}], "after": "14d"}, {"tags": ["semver"], "after": "2w"}]
    ).expire

    assert (first.after, second.after) == (14, 14)
    assert [tag for tag in ("pr-1", "dev-7", "dev-x", "1.4.2") if first.selects(tag)] == ["pr-1", "dev-7"]
    assert str(first) == "expire pr-*, dev-[0-9]+ after 14 days"
    assert second.selects("1.4.2")


@pytest.mark.parametrize("exceptions", [[], ["pr-*"]])
def test_an_immutable_alias_is_accepted_when_it_may_be_deleted_first(compiled, exceptions):
    rules = compiled(
        repository={"mutability": {"immutable": True, "except": exceptions}},
        aliases={"from": "semver", "add": ["{major}-latest"], "move": "delete_and_retag"},
    )

    assert rules.aliases.move is AliasMove.DELETE_AND_RETAG


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"labels": {"required": ["a b"]}},
            "rules[0].image_tags.labels.required[0]: `a b` is not the key of a label or annotation: "
            "up to 256 characters without spaces",
        ),
        (
            {"annotations": {"required": [{"key": "a", "pattern": "("}]}},
            "rules[0].image_tags.annotations.required[0].pattern: RE2 refuses this regular expression: missing ): (",
        ),
        (
            {"labels": {"required": [{"key": "a"}]}},
            "rules[0].image_tags.labels.required[0]: `pattern` is missing",
        ),
        (
            {"companions": {"required": ["cosign_signatur"]}},
            "rules[0].image_tags.companions.required[0]: `cosign_signatur` is not known here; "
            "did you mean `cosign_signature`?; expected cosign_signature",
        ),
        (
            {"companions": {"required": [{"artifact_type": "spdx"}]}},
            "rules[0].image_tags.companions.required[0].artifact_type: `spdx` is not an artifact type; "
            "expected a media type such as application/spdx+json",
        ),
        (
            {"companions": {"required": ["cosign_signature"], "within": "1w"}},
            "rules[0].image_tags.companions.within: `1w` is not a time: write minutes, hours or days, "
            "such as 30m, 1h or 2d",
        ),
        (
            {"protect": ["latest"], "deny": ["latest"]},
            "rules[0].image_tags.protect[0]: `latest` is denied, and would be reported for ever; "
            "expected the pattern in one of the two",
        ),
        (
            {"protect": ["pr-*", "x"], "expire": [{"tags": ["dev", "pr-*"], "after": "14d"}]},
            "rules[0].image_tags.expire[0].tags[1]: `pr-*` is protected, and would never expire; "
            "expected the pattern in one of the two",
        ),
        (
            {"expire": [{"tags": ["pr-*"]}]},
            "rules[0].image_tags.expire[0]: `after` is missing",
        ),
        (
            {"expire": [{"tags": [], "after": "2w"}]},
            "rules[0].image_tags.expire[0].tags: `[]` does not fit here; expected at least 1 entry",
        ),
        (
            {"protect": ["*-latest"], "aliases": {"from": "semver", "add": ["{major}-latest"]}},
            "rules[0].image_tags.aliases.add[0]: `{major}-latest` makes `0-latest`, "
            "which `protect: *-latest` keeps where it is",
        ),
        (
            {"aliases": {"from": "calver", "add": ["{major}-latest"]}},
            "rules[0].image_tags.aliases.add[0]: `{major}` is no part of a version of calver; "
            "expected {year} and {month}",
        ),
        (
            {"aliases": {"from": "calver", "add": ["{year}.{month}"]}},
            "rules[0].image_tags.aliases.add[0]: `{year}.{month}` makes `2026.11`, which reads as a version itself: "
            "an alias must not",
        ),
    ],
)
def test_the_reason_is_told_when_a_rule_is_wrong(with_rule, problems_of, keys, told):
    assert problems_of(with_rule(image_tags=keys)) == [told]


@pytest.mark.parametrize(
    "mutability",
    [{"immutable": False}, {"immutable": True, "except": ["*-latest"]}, {"immutable": False, "except": ["v*"]}],
)
def test_a_deletion_is_refused_when_the_aliases_can_move_without(with_rule, problems_of, mutability):
    aliases = {"from": "semver", "add": ["{major}-latest"], "move": "delete_and_retag"}

    told = problems_of(with_rule(image_tags={"aliases": aliases}, repository={"mutability": mutability}))

    assert told == [
        "rules[0].image_tags.aliases.move: these aliases can move here as they are, and need not be deleted, "
        "which leaves a gap; expected move: retag"
    ]


def test_an_exception_is_refused_when_it_covers_releases_of_the_calendar(with_rule, problems_of):
    rule = with_rule(
        image_tags={"allow": ["semver", "calver"], "aliases": {"from": "semver", "add": ["{major}-latest"]}},
        repository={"mutability": {"immutable": True, "except": ["*-latest", "2026*"]}},
    )

    assert problems_of(rule) == [
        "rules[0].repository.mutability.except[1]: `2026*` also covers releases such as 1.4.2, which then could be "
        "overwritten; expected an exception that covers the aliases alone, such as *-latest"
    ]


def test_a_filter_is_proposed_when_an_alias_of_the_calendar_could_not_move(with_rule, problems_of):
    rule = with_rule(
        image_tags={"aliases": {"from": "calver", "add": ["v{year}"]}}, repository={"mutability": {"immutable": True}}
    )

    assert problems_of(rule) == [
        "rules[0].image_tags.aliases.add[0]: `v{year}` cannot move: image tags are immutable here and no exception "
        'covers it; expected an alias that looks like no release, such as {year}-latest with except: ["*-latest"]'
    ]


def notes_of(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return [(note.code, note.expected) for note in notes(rulebook, date(2026, 11, 26))]


@pytest.mark.parametrize(
    ("image_tags", "exception", "expected"),
    [
        ({"allow": ["semver"]}, "*-latest", 'deny: ["*.*.*-latest"] as well'),
        ({"allow": ["semver"], "deny": ["1.4.2-latest"]}, "*-latest", 'deny: ["*.*.*-latest"] as well'),
        ({"allow": ["semver"], "deny": ["*.*.*-latest"]}, "*-latest", None),
        ({"allow": [{"regex": "[0-9]+[.][0-9]+[.][0-9]+"}]}, "*-latest", None),
        ({"allow": ["semver"], "aliases": {"from": "semver", "add": ["latest-{major}"]}}, "latest-*", None),
    ],
    ids=["allowed", "one denied", "all denied", "not allowed", "no version looks like the alias"],
)
def test_a_note_is_made_when_an_exception_for_aliases_covers_allowed_prereleases(
    with_rule, image_tags, exception, expected
):
    """attacks M15 (M9 of its text)."""
    aliases = {"from": "semver", "add": ["{major}.{minor}-latest", "{major}-latest"]}
    mutability = {"immutable": True, "except": [exception]}
    data = with_rule(image_tags={"aliases": aliases, **image_tags}, repository={"mutability": mutability})

    assert notes_of(data) == ([(Code.EXCEPTION_COVERS_A_PRERELEASE, expected)] if expected else [])
