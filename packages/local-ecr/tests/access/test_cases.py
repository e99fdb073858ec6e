"""AWS's decision rules, as the table in cases.yaml has them: one test for each row."""

import re
from collections import Counter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from local_ecr.iam import Call, Identity, Policy, Principal, judge

TABLE = YAML(typ="safe").load((Path(__file__).parent / "cases.yaml").read_text())
CASES = [{**TABLE["common"], **case} for case in TABLE["cases"]]
WORDS = {
    "app": "arn:aws:ecr:us-east-1:111122223333:repository/team/app",
    "theirs": "arn:aws:ecr:us-east-1:444455556666:repository/team/app",
    "role": TABLE["callers"]["session"]["role"],
    **{name: caller["name"] for name, caller in TABLE["callers"].items()},
}
STATEMENT = re.compile(
    r"(?P<effect>Allow|Deny) (?P<action>\S+)( on (?P<resource>.+?))?( to (?P<kind>all but |service )?(?P<name>\S+))?"
    r"( if (?P<operator>\S+) (?P<key>\S+) (?P<values>.+))?"
)


def filled(value):
    """A value of the table with its short words written out."""
    if isinstance(value, dict):
        return {filled(name): filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    if isinstance(value, str):
        return WORDS.get(value, value.replace("{own}", "111122223333").replace("{other}", "444455556666"))
    return value


def statement(written, *, is_of_identity):
    if not isinstance(written, str):
        principal = written.get("Principal")
        is_word = isinstance(principal, str) and principal in WORDS
        return filled({**written, "Principal": {"AWS": principal}} if is_word else written)
    parts = STATEMENT.fullmatch(written)
    made = {"Effect": parts["effect"], "Action": parts["action"]}
    if is_of_identity or parts["resource"]:
        made["Resource"] = parts["resource"] or "*"
    if parts["name"]:
        element = "NotPrincipal" if parts["kind"] == "all but " else "Principal"
        kind = "Service" if parts["kind"] == "service " else "AWS"
        made[element] = parts["name"] if parts["name"] == "*" else {kind: parts["name"]}
    if parts["operator"]:
        made["Condition"] = {parts["operator"]: {parts["key"]: parts["values"].split("|")}}
    return filled(made)


def policies(case, name, *, is_of_identity=False):
    """The policy of this name in a list, or nothing where the case has none."""
    if name not in case:
        return []
    statements = [statement(one, is_of_identity=is_of_identity) for one in case[name]]
    return [Policy(name, {"Version": case.get("version", "2012-10-17"), "Statement": statements})]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['page']}: {case['name']}" for case in CASES])
def test_a_call_is_decided_as_the_page_says(case):
    caller = TABLE["callers"][case["by"]]
    principal = Principal(caller.get("kind", "AWS"), caller["name"], caller.get("role"))
    call = Call(case["asks"], filled(case["upon"]), principal, filled(case.get("with", {})))
    boundary = next(iter(policies(case, "boundary", is_of_identity=True)), None)
    passed = next(iter(policies(case, "passed", is_of_identity=True)), None)
    identity = Identity(policies(case, "identity", is_of_identity=True), boundary, session=passed)
    judgement = judge(call, identity, [*policies(case, "repository"), *policies(case, "registry")])

    if judgement.is_allowed:
        found = "allowed"
    elif "explicit deny" in judgement.why:
        found = "denied"
    else:
        found = "unknown" if "it is not known what a policy means" in judgement.why else "missing"
    assert found == case["gives"], (judgement.by, judgement.why)


def test_the_table_is_whole():
    assert len(CASES) >= 120
    assert {case["page"] for case in CASES} == set(TABLE["pages"])
    assert max(Counter(case["name"] for case in CASES).values()) == 1
