"""The key ``waivers``: findings by their names, days by the calendar, and never a waiver without a reason."""

from datetime import UTC, date, datetime

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.rulebook.checks import notes
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "payments/api")
NOT_FOUND = "expected one finding as the scanner names it, without spaces and wildcards"


def waivers_of(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return compile_rulebook(rulebook).waivers


def waiver_notes(rulebook, today):
    return [note for note in notes(rulebook, today) if note.path[0] == "waivers"]


def test_a_waiver_is_that_of_the_rulebook_when_compiled(with_waiver):
    (waiver,) = waivers_of(with_waiver())

    assert (waiver.finding, waiver.until, waiver.owner) == ("CVE-2026-12345", date(2027, 1, 31), "team-payments")
    assert waiver.reason == "the service never parses foreign XML"
    assert [pattern.matches(API.name) for pattern in waiver.repositories] == [True]


def test_nobody_owns_a_waiver_when_it_names_no_owner(with_waiver):
    assert waivers_of(with_waiver(owner=None))[0].owner is None


def test_a_day_is_understood_when_a_parser_made_a_date_of_it(with_waiver):
    assert waivers_of(with_waiver(until=date(2028, 2, 29)))[0].until == date(2028, 2, 29)


@pytest.mark.parametrize(
    "finding",
    ["CVE-2014-0160", "CVE-2026-1234567", "GHSA-jfh8-c2jp-5v3q", "ALAS2-2021-1680", "RHSA-2021:1234", "IN1-JAVA-X-1"],
)
def test_a_finding_is_accepted_when_scanners_have_such_names(with_waiver, finding):
    assert waivers_of(with_waiver(finding=finding))[0].finding == finding


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"reason": None}, "waivers[0]: `reason` is missing"),
        ({"until": None}, "waivers[0]: `until` is missing"),
        ({"finding": ""}, f"waivers[0].finding: `` can match no finding; {NOT_FOUND}"),
        ({"finding": "openssl 3.0"}, f"waivers[0].finding: `openssl 3.0` can match no finding; {NOT_FOUND}"),
        ({"finding": "CVE-2026-*"}, f"waivers[0].finding: `CVE-2026-*` can match no finding; {NOT_FOUND}"),
        (
            {"finding": "cve-2026-12345"},
            "waivers[0].finding: `cve-2026-12345` can match no finding; did you mean `CVE-2026-12345`?; "
            "expected CVE-YEAR-NUMBER with four digits or more, such as CVE-2026-12345",
        ),
        (
            {"finding": "CVE-26-12345"},
            "waivers[0].finding: `CVE-26-12345` can match no finding; "
            "expected CVE-YEAR-NUMBER with four digits or more, such as CVE-2026-12345",
        ),
        (
            {"finding": "GHSA-JFH8-C2JP-5V3Q"},
            "waivers[0].finding: `GHSA-JFH8-C2JP-5V3Q` can match no finding; did you mean `GHSA-jfh8-c2jp-5v3q`?; "
            "expected three groups of four, such as GHSA-jfh8-c2jp-5v3q",
        ),
        ({"finding": 2026}, "waivers[0].finding: `2026` does not fit here; expected text: put it in quotes"),
        ({"repositories": []}, "waivers[0].repositories: `[]` does not fit here; expected at least 1 entry"),
        (
            {"repositories": ["Payments"]},
            "waivers[0].repositories[0]: `Payments` can match no repository: names hold a-z, 0-9, `.`, `_`, `-` "
            "and `/`; wildcards are `*` and `**`",
        ),
        (
            {"until": "31.01.2027"},
            "waivers[0].until: `31.01.2027` is not a date: write year, month and day, such as 2027-01-31",
        ),
        (
            {"until": "2027-1-31"},
            "waivers[0].until: `2027-1-31` is not a date: write year, month and day, such as 2027-01-31",
        ),
        (
            {"until": "2027-W05-1"},
            "waivers[0].until: `2027-W05-1` is not a date: write year, month and day, such as 2027-01-31",
        ),
        ({"until": 2027}, "waivers[0].until: `2027` is not a date: write year, month and day, such as 2027-01-31"),
        (
            {"until": datetime(2027, 1, 31, 12, tzinfo=UTC)},
            "waivers[0].until: `2027-01-31 12:00:00+00:00` is not a date: write year, month and day, "
            "such as 2027-01-31",
        ),
        ({"until": "2027-02-29"}, "waivers[0].until: `2027-02-29` is not in the calendar"),
        ({"until": "2027-13-01"}, "waivers[0].until: `2027-13-01` is not in the calendar"),
        (
            {"reason": " - "},
            "waivers[0].reason: ` - ` says nothing: people read this when a finding is tolerated",
        ),
        ({"owner": ""}, "waivers[0].owner: `` says nothing: people read this when a finding is tolerated"),
        (
            {"reason": "x" * 501},
            f"waivers[0].reason: `{'x' * 60}...` does not fit here; expected at most 500 characters",
        ),
        (
            {"expires": "2027-01-31"},
            "waivers[0].expires: unknown key `expires`; expected one of finding, repositories, until, reason, owner",
        ),
    ],
)
def test_the_reason_is_told_when_a_waiver_is_wrong(with_waiver, problems_of, keys, told):
    (problem,) = problems_of(with_waiver(**keys))

    assert problem.partition(" (")[0] == told


def test_the_first_is_named_when_a_waiver_is_there_twice(with_waiver, problems_of):
    data = with_waiver(repositories=["a/**", "b/**"])
    data["waivers"].append(data["waivers"][0] | {"repositories": ["b/**", "a/**"], "until": "2028-01-31"})

    assert problems_of(data) == [
        "waivers[1]: `CVE-2026-12345` is waived for the same repositories already: waivers[0]; "
        "expected one waiver, with one last day"
    ]


def test_waivers_are_accepted_when_finding_or_repositories_differ(with_waiver, problems_of):
    data = with_waiver()
    first = data["waivers"][0]
    data["waivers"] += [first | {"finding": "CVE-2026-5432"}, first | {"repositories": ["payments/api"]}]

    assert problems_of(data) == []


def test_a_waiver_is_checked_when_a_rule_is_wrong(with_waiver, problems_of):
    data = with_waiver()
    data["waivers"] *= 2
    data["rules"][0]["mode"] = "enforced"

    assert [told.partition(": ")[0] for told in problems_of(data)] == ["rules[0].mode", "waivers[1]"]


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2027, 1, 31), []),
        (date(2027, 2, 1), ["waivers[0].until: the waiver of `CVE-2026-12345` has expired"]),
    ],
)
def test_a_note_is_made_and_the_rulebook_stays_valid_when_a_waiver_has_expired(with_waiver, today, told):
    rulebook, problems = validate(with_waiver())

    assert problems == ()
    assert [str(note) for note in waiver_notes(rulebook, today)] == told


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2028-11-26", []),
        ("2028-11-27", ["ES515"]),
        ("9999-12-31", ["ES515"]),
    ],
)
def test_a_note_is_made_and_the_rulebook_stays_valid_when_a_waiver_lasts_for_more_than_two_years(
    with_waiver, until, told
):
    """attacks L5"""
    rulebook, problems = validate(with_waiver(until=until))

    found = waiver_notes(rulebook, date(2026, 11, 26))

    assert problems == ()
    assert [note.code for note in found] == told
    assert [str(note) for note in found] == [
        "waivers[0].until: the waiver of `CVE-2026-12345` lasts for more than two years from today; "
        "expected a day until 2028-11-26, on which you look at its reason again"
    ] * len(told)
