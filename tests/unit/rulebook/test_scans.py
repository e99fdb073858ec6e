"""The keys ``scan`` and ``when``, and destinations in other accounts: what they mean and what they may not say."""

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Condition, Destination, ScanRules, Unscannable
from ecr_steward.domain.scans import Severity
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "payments/api")
SCAN = {"fail_on": {"severity": "HIGH"}}
HERE, AWAY = {"region": "us-east-1"}, {"region": "eu-west-1"}


def rule_of(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return compile_rulebook(rulebook).rules[0]


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        (SCAN, ScanRules(Severity.HIGH, Unscannable.FAIL)),
        ({**SCAN, "unscannable": "fail"}, ScanRules(Severity.HIGH, Unscannable.FAIL)),
        ({**SCAN, "unscannable": "pass"}, ScanRules(Severity.HIGH, Unscannable.PASS)),
        ({"fail_on": {"severity": "CRITICAL"}}, ScanRules(Severity.CRITICAL)),
        ({"fail_on": {"severity": "MEDIUM"}}, ScanRules(Severity.MEDIUM)),
        ({"fail_on": {"severity": "LOW"}}, ScanRules(Severity.LOW)),
        ({"fail_on": {"severity": "INFORMATIONAL"}}, ScanRules(Severity.INFORMATIONAL)),
    ],
)
def test_scan_rules_are_those_of_the_rulebook_when_compiled(with_rule, written, rules):
    assert rule_of(with_rule(scan=written)).scan == rules


def test_nothing_is_judged_and_copies_wait_for_nothing_when_the_rule_says_nothing(with_rule):
    rule = rule_of(with_rule(replicate=[{"to": [AWAY]}]))

    assert rule.scan is None
    assert rule.replicate[0].when == frozenset()


def test_a_copy_waits_for_the_verdict_when_the_rule_says_so(with_rule):
    rule = rule_of(with_rule(scan=SCAN, replicate=[{"to": [AWAY], "when": ["scan_passed"]}]))

    assert rule.replicate[0].when == {Condition.SCAN_PASSED}


def test_a_copy_may_wait_for_scans_that_people_start_when_none_starts_by_itself(with_rule, problems_of):
    data = with_rule(scan=SCAN, repository={"scanning": "manual"}, replicate=[{"to": [AWAY], "when": ["scan_passed"]}])

    assert problems_of(data) == []


def test_a_destination_is_a_repository_of_another_account_when_compiled(with_rule):
    written = {"account": "222233334444", "repository": "release/{name}"}

    rule = rule_of(with_rule(match={"repositories": ["payments/**"]}, replicate=[{"to": [written]}]))

    (destination,) = rule.replicate[0].to
    assert destination == Destination(account="222233334444", repository="release/{name}")
    assert destination.of(API) == RepositoryRef(RegistryRef("222233334444", "us-east-1"), "release/payments/api")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"scan": {}}, ["rules[0].scan: `fail_on` is missing"]),
        ({"scan": {"fail_on": {}}}, ["rules[0].scan.fail_on: `severity` is missing"]),
        (
            {"scan": {"fail_on": "HIGH"}},
            ["rules[0].scan.fail_on: `HIGH` does not fit here; expected keys with values"],
        ),
        (
            {"scan": {"fail_on": {"severity": "high"}}},
            [
                "rules[0].scan.fail_on.severity: `high` is not known here; did you mean `HIGH`?; "
                "expected CRITICAL, HIGH, MEDIUM, LOW or INFORMATIONAL"
            ],
        ),
        (
            {"scan": {"fail_on": {"severity": "UNDEFINED"}}},
            [
                "rules[0].scan.fail_on.severity: `UNDEFINED` is not known here; "
                "expected CRITICAL, HIGH, MEDIUM, LOW or INFORMATIONAL"
            ],
        ),
        (
            {"scan": {"severity": "HIGH"}},
            [
                "rules[0].scan: `fail_on` is missing",
                "rules[0].scan.severity: unknown key `severity`; it belongs below `fail_on`; "
                "expected one of fail_on, unscannable",
            ],
        ),
        (
            {"scan": {**SCAN, "unscannable": "ignore"}},
            ["rules[0].scan.unscannable: `ignore` is not known here; expected fail or pass"],
        ),
        (
            {"scan": SCAN, "replicate": [{"to": [AWAY], "when": ["scan-pased"]}]},
            [
                "rules[0].replicate[0].when[0]: `scan-pased` is not known here; did you mean `scan_passed`?; "
                "expected scan_passed"
            ],
        ),
        (
            {"scan": SCAN, "replicate": [{"to": [AWAY], "when": "scan_passed"}]},
            [
                "rules[0].replicate[0].when: `scan_passed` does not fit here; expected a list: put it in [brackets], "
                "or write its entries below each other, each after a dash"
            ],
        ),
        (
            {"scan": SCAN, "replicate": [{"to": [AWAY], "when": []}]},
            ["rules[0].replicate[0].when: `[]` does not fit here; expected at least 1 entry"],
        ),
        (
            {"replicate": [{"to": [AWAY]}, {"to": [AWAY], "when": ["scan_passed"]}]},
            [
                "rules[0].replicate[1].when[0]: `scan_passed` waits for a verdict that no rule ever gives: "
                "none has `scan`; expected `scan: {fail_on: {severity: HIGH}}` in this rule, or no `when`"
            ],
        ),
        (
            {"replicate": [{"to": [{"account": 222233334444}]}]},
            ["rules[0].replicate[0].to[0].account: `222233334444` does not fit here; expected text: put it in quotes"],
        ),
        (
            {"replicate": [{"to": [{"account": "*"}]}]},
            [
                "rules[0].replicate[0].to[0].account: `*` is not an account id: twelve digits in quotes, "
                'such as "111122223333"'
            ],
        ),
    ],
)
def test_the_reason_is_told_when_a_scan_or_a_copy_is_wrong(with_rule, problems_of, keys, told):
    assert problems_of(with_rule(**keys)) == told


@pytest.mark.parametrize(
    ("match", "destination"),
    [
        ({"accounts": ["111122223333"]}, {"account": "111122223333"}),
        ({"accounts": ["111122223333"], "regions": ["us-east-1"]}, {"account": "111122223333", **HERE}),
        ({"accounts": ["111122223333"], "regions": ["us-east-1"]}, {"account": "111122223333"}),
        ({"accounts": ["111122223333"], "regions": ["us-east-1"]}, {**HERE, "repository": "{name}"}),
    ],
)
def test_a_copy_onto_itself_is_refused_when_account_region_and_name_are_the_sources(
    with_rule, problems_of, match, destination
):
    data = with_rule(match={"repositories": ["**"], **match}, replicate=[{"to": [destination]}])

    assert problems_of(data) == [
        "rules[0].replicate[0].to[0]: every repository of this rule would be copied onto itself"
    ]


@pytest.mark.parametrize(
    ("match", "destination"),
    [
        ({}, {"account": "222233334444"}),
        ({"accounts": ["111122223333"]}, {"account": "222233334444"}),
        ({"accounts": ["111122223333", "222233334444"]}, {"account": "222233334444"}),
        ({"accounts": ["111122223333"], "regions": ["us-east-1"]}, {"account": "222233334444", **HERE}),
        ({"accounts": ["111122223333"], "regions": ["us-east-1"]}, {"account": "111122223333", **AWAY}),
    ],
)
def test_a_copy_is_accepted_when_some_repository_leads_elsewhere(with_rule, problems_of, match, destination):
    data = with_rule(match={"repositories": ["**"], **match}, replicate=[{"to": [destination]}])

    assert problems_of(data) == []


@pytest.mark.parametrize(
    ("match", "destination", "name"),
    [
        ({"repositories": ["**"]}, {"account": "222233334444", "repository": "release/{name}"}, "release/a/b"),
        ({"repositories": ["x", "team-*/**"]}, {"repository": "team-b/{name}"}, "team-b/x"),
        ({"repositories": ["team-*/**"]}, {"repository": "{name}/release"}, "team-a/a/b/release"),
        ({"repositories": ["**"], "regions": ["*-west-1"]}, {**AWAY, "repository": "r/{name}"}, "r/a/b"),
    ],
)
def test_copies_without_end_are_refused_when_the_rule_governs_where_they_arrive(
    with_rule, problems_of, match, destination, name
):
    assert problems_of(with_rule(match=match, replicate=[{"to": [destination]}])) == [
        "rules[0].replicate[0].to[0]: copies would be copied again without end: this rule also governs "
        f"`{name}`, where they arrive; expected a `match` without its own destination, or a rule above that exempts it"
    ]


@pytest.mark.parametrize(
    ("match", "destination"),
    [
        ({"repositories": ["**"], "regions": ["us-*"]}, {**AWAY, "repository": "release/{name}"}),
        ({"repositories": ["**"], "accounts": ["111122223333"]}, {"account": "222233334444", "repository": "r/{name}"}),
        ({"repositories": ["team-*/**"]}, {"repository": "release/{name}"}),
        ({"repositories": ["*"]}, {"repository": "release/{name}"}),
        ({"repositories": ["**"]}, {**AWAY, "repository": "release/all"}),
    ],
)
def test_a_copy_is_accepted_when_the_rule_does_not_copy_it_on(with_rule, problems_of, match, destination):
    assert problems_of(with_rule(match=match, replicate=[{"to": [destination]}])) == []


def test_a_copy_is_accepted_when_a_rule_above_exempts_where_it_arrives(with_rule, problems_of):
    data = with_rule(replicate=[{"to": [{"repository": "release/{name}"}]}])
    data["rules"].insert(0, {"name": "released", "match": {"repositories": ["release/**"]}, "final": True})

    assert problems_of(data) == []


ONE, TWO = "111122223333", "222233334444"


@pytest.mark.parametrize(
    ("match", "destinations", "places", "told"),
    [
        ({}, [{"account": ONE}, {"account": TWO}], (f"{ONE}/a/b", f"{TWO}/a/b"), "`match.accounts`"),
        ({}, [AWAY, HERE], ("eu-west-1/a/b", "us-east-1/a/b"), "`match.regions`"),
        (
            {"accounts": [ONE, TWO], "repositories": ["team-*/**"]},
            [{"account": TWO}, {"account": ONE}],
            (f"{TWO}/team-a/a/b", f"{ONE}/team-a/a/b"),
            "`match.accounts`",
        ),
        (
            {"regions": ["*-west-1", "us-*"]},
            [AWAY, {"account": TWO, **HERE}],
            (f"{TWO}/eu-west-1/a/b", f"{TWO}/us-east-1/a/b"),
            "`match.regions`",
        ),
        (
            {},
            [{"account": ONE, **AWAY}, {"account": TWO, **HERE}],
            (f"{ONE}/eu-west-1/a/b", f"{TWO}/us-east-1/a/b"),
            "`match.accounts` or `match.regions`",
        ),
        (
            {},
            [{**AWAY, "repository": "all"}, {**HERE, "repository": "all"}],
            ("eu-west-1/all", "us-east-1/all"),
            "`match.regions`",
        ),
    ],
)
def test_copies_back_and_forth_are_refused_when_the_rule_governs_both_destinations(
    with_rule, problems_of, *, match, destinations, places, told
):
    here, there = places
    data = with_rule(match={"repositories": ["**"], **match}, replicate=[{"to": destinations}])

    assert problems_of(data) == [
        f"rules[0].replicate[0].to[1]: copies would come back: this rule governs `{here}` and `{there}`, and copies "
        f"each to the other; expected {told} without one of them, or a rule above that exempts it"
    ]


@pytest.mark.parametrize(
    ("match", "destinations"),
    [
        ({}, [AWAY]),
        ({}, [{"account": TWO}]),
        ({}, [AWAY, {"account": TWO}]),
        ({"regions": ["us-east-1"]}, [AWAY, {"region": "ap-south-1"}]),
        ({"regions": ["us-east-1", "eu-west-1"]}, [AWAY, {"region": "ap-south-1"}]),
        ({"accounts": [ONE]}, [{"account": TWO}, {"account": "333344445555"}]),
        ({"accounts": [ONE]}, [{"account": TWO, **AWAY}, {"account": TWO, **HERE}]),
        ({"repositories": ["team-*/**"]}, [{**AWAY, "repository": "all"}, {**HERE, "repository": "all"}]),
    ],
)
def test_several_destinations_are_accepted_when_no_copy_comes_back(with_rule, problems_of, match, destinations):
    data = with_rule(match={"repositories": ["**"], **match}, replicate=[{"to": destinations}])

    assert problems_of(data) == []


@pytest.mark.parametrize(
    ("chosen", "also_chosen", "refused"),
    [(["semver"], ["main-*"], False), (["semver"], ["main-*", "semver"], True), (["semver"], None, True)],
)
def test_copies_back_and_forth_are_refused_across_entries_when_both_choose_the_same_images(
    with_rule, problems_of, chosen, also_chosen, refused
):
    entries = [{"to": [AWAY], "images": {"tags": chosen}}, {"to": [HERE]}]
    if also_chosen:
        entries[1]["images"] = {"tags": also_chosen}

    problems = problems_of(with_rule(replicate=entries))

    assert [problem.partition(": ")[0] for problem in problems] == ["rules[0].replicate[1].to[0]"] * refused


def test_a_destination_is_told_once_when_copies_come_back_from_several(with_rule, problems_of):
    problems = problems_of(with_rule(replicate=[{"to": [AWAY, HERE, {"region": "ap-south-1"}]}]))

    assert [problem.partition(": ")[0][-5:] for problem in problems] == ["to[1]", "to[2]"]


def test_several_destinations_are_accepted_when_a_rule_above_exempts_the_copies(with_rule, problems_of):
    data = with_rule(replicate=[{"to": [AWAY, HERE]}])
    exempt = {"name": "copies", "match": {"repositories": ["**"], "regions": ["eu-*"]}, "replicate": []}
    data["rules"].insert(0, exempt)

    assert problems_of(data) == []
