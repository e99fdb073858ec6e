"""What each function may do in a connected account is what it may do at home: aws M5."""

import json
import re
from collections import defaultdict
from functools import cache
from typing import Any

import pytest

from ecr_steward.adapters.session_policies import session_policy
from local_ecr.iam import Call, allows
from tests.unit.adapters.test_permissions import ROOT, granted, granted_to_role, resources

LONGEST = 2048
"""Characters of a session policy. STS API reference, AssumeRole, "Policy"."""
SMALL_ENOUGH = 600
"""STS packs a policy into the session's token and does not say how; what users report of refusals comes to 0.1 percent
of the space for each character, so that some 1,000 may fit."""
OF_SPOKE_ROLE = granted_to_role("spoke.yaml", "SpokeRole")
AT_HOME = {
    resources("template.yaml")[name]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: actions & OF_SPOKE_ROLE
    for name, actions in granted().items()
}
"""Of each function, by its name; what SpokeRole lacks is called at home alone."""


@cache
def allowed_abroad(function: str) -> frozenset[str]:
    """SpokeRole's actions that a function's session keeps."""
    document = json.loads(session_policy(function))
    return frozenset(action for action in OF_SPOKE_ROLE if allows([document], Call(action, "arn:aws:ecr:::any")))


@pytest.mark.parametrize("function", AT_HOME)
def test_a_function_may_do_abroad_what_it_may_at_home(function: str) -> None:
    assert allowed_abroad(function) == AT_HOME[function]


def test_nothing_that_the_spoke_role_allows_is_unused() -> None:
    assert set[str]().union(*map(allowed_abroad, AT_HOME)) == OF_SPOKE_ROLE


@pytest.mark.parametrize("function", AT_HOME)
def test_no_action_of_a_session_policy_is_without_effect(function: str) -> None:
    (statement,) = json.loads(session_policy(function))["Statement"]
    matched = [
        {action for action in OF_SPOKE_ROLE if re.fullmatch(pattern.replace("*", ".*"), action)}
        for pattern in statement["Action"]
    ]

    for number, actions in enumerate(matched):
        others = set[str]().union(*matched[:number], *matched[number + 1 :])
        assert actions - others, statement["Action"][number]


@pytest.mark.parametrize("function", AT_HOME)
def test_a_session_policy_is_as_short_as_sts_takes_it(function: str) -> None:
    policy = session_policy(function)

    assert len(policy) <= SMALL_ENOUGH < LONGEST
    assert re.fullmatch("[\x20-\x7e]+", policy)


def test_a_function_that_is_none_of_ours_has_no_rights_abroad() -> None:
    with pytest.raises(KeyError, match="another"):
        session_policy("another")


def documented() -> dict[frozenset[str], set[str]]:
    """The actions of docs/accounts.md, by the functions that may use them."""
    page = (ROOT / "docs/accounts.md").read_text(encoding="utf-8")
    found: dict[frozenset[str], set[str]] = {}
    for functions, actions in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ((?:`\w+:\w+`(?:, )?)+) \|$", page, re.MULTILINE):
        found[frozenset(re.findall(r"\w+", functions))] = set(re.findall(r"\w+:\w+", actions))
    return found


def test_the_page_says_which_function_may_do_what_in_a_connected_account() -> None:
    expected: dict[frozenset[str], set[Any]] = defaultdict(set)
    for action in OF_SPOKE_ROLE:
        expected[frozenset(name for name in AT_HOME if action in allowed_abroad(name))].add(action)

    assert documented() == expected
