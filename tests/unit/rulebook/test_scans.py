"""The keys ``scan`` and ``when``, and destinations in other accounts: what they mean and what they may not say."""

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Condition, Destination, ScanRules
from ecr_steward.domain.scans import Severity, Verdict
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "payments/api")
OF_ONE = {"repositories": ["payments/**"], "accounts": ["111122223333"]}
SCAN = {"fail_on": {"severity": "HIGH"}}
HERE, AWAY = {"region": "us-east-1"}, {"region": "eu-west-1"}


def rule_of(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return compile_rulebook(rulebook).rules[0]


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        (SCAN, ScanRules(Severity.HIGH)),
        ({**SCAN, "never_scanned": "fail"}, ScanRules(Severity.HIGH, never_scanned=Verdict.FAIL)),
        ({**SCAN, "scan_failed": "wait"}, ScanRules(Severity.HIGH, scan_failed=Verdict.WAIT)),
        ({**SCAN, "expired": "pass"}, ScanRules(Severity.HIGH, expired=Verdict.PASS)),
        ({**SCAN, "limit_exceeded": "wait"}, ScanRules(Severity.HIGH, limit_exceeded=Verdict.WAIT)),
        ({**SCAN, "undefined": "pass"}, ScanRules(Severity.HIGH, undefined=Verdict.PASS)),
        ({**SCAN, "suppressed": "pass"}, ScanRules(Severity.HIGH, suppressed=Verdict.PASS)),
        ({**SCAN, "unscannable": "fail"}, ScanRules(Severity.HIGH, unscannable=Verdict.FAIL)),
        ({**SCAN, "unscannable": "pass"}, ScanRules(Severity.HIGH, unscannable=Verdict.PASS)),
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


def test_a_copy_is_withdrawn_when_the_rule_says_so_and_waits_for_its_verdict(with_rule):
    """attacks M4."""
    entry = {"to": [AWAY], "withdraw": "on_fail"}
    rule = rule_of(with_rule(scan=SCAN, replicate=[{**entry, "when": ["scan_passed"]}]))

    _, problems = validate(with_rule(scan=SCAN, replicate=[entry]))

    assert rule.replicate[0].withdraws_failed
    assert [problem.code for problem in problems] == ["ES521"]


def test_a_copy_may_wait_for_scans_that_people_start_when_none_starts_by_itself(with_rule, problems_of):
    data = with_rule(scan=SCAN, repository={"scanning": "manual"}, replicate=[{"to": [AWAY], "when": ["scan_passed"]}])

    assert problems_of(data) == []


def test_a_destination_is_a_repository_of_another_account_when_compiled(with_rule):
    written = {"account": "222233334444", "repository": "release/{name}"}

    rule = rule_of(with_rule(match=OF_ONE, replicate=[{"to": [written]}]))

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
                "expected one of fail_on, never_scanned, scan_failed, unscannable, expired, limit_exceeded, undefined, "
                "suppressed",
            ],
        ),
        (
            {"scan": {**SCAN, "unscannable": "ignore"}},
            ["rules[0].scan.unscannable: `ignore` is not known here; expected pass, fail or wait"],
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
