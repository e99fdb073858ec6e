"""The roles of both templates: what each of their statements allows, with the names that the calls have."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ecr_steward.adapters.session_policies import session_policy
from ecr_steward_sandbox.deploy.translate import read_template, translate
from local_ecr.iam import Call, allows
from template_lint.resolved import SPOKE, resolved

ROOT: Final = Path(__file__).parents[2]
VALUES: Final[Mapping[str, Any]] = {
    "CreationTemplateRolePrefix": "ecr-steward-creation-template",
    "PullOnlyRoleName": "PullOnlyRole",
    "RulebookBucket": "example-rules",  # as in tests/integration/test_rulebook_in_s3.py
    "RulebookKey": "ecr-steward/rulebook.json",
    "SecretPrefix": "ecr-steward/",
    "SpokeRoleName": "SpokeRole",
}
"""Roles have their logical ids for names, as in the calls; the rest is what the tests deploy with."""
FUNCTIONS: Final = tuple(sorted(app.parent.name for app in (ROOT / "functions").glob("*/app.py")))
"""Each is the name of a session in connected accounts, too."""


@dataclass(frozen=True)
class Statement:
    """One statement of a role, each condition of the template met."""

    role: str
    name: str
    """Its Sid; without one its number in the policy, from 1."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]
    """A policy of this statement alone."""

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that it asks for."""
        return frozenset(key for tests in self.conditions.values() for key in tests)


def _statements() -> Iterator[Statement]:
    templates = {
        "hub": (translate(ROOT, region="us-east-1", parameters={}).template, VALUES),
        "spoke": (read_template(ROOT / "spoke.yaml"), {**VALUES, "AWS::AccountId": SPOKE}),
    }
    for place, (template, values) in templates.items():
        resources = template["Resources"]
        for name, resource in resources.items():
            if resource["Type"] == "AWS::IAM::Role":
                for policy in resolved(resource["Properties"].get("Policies", []), resources, values):
                    for number, each in enumerate(policy["PolicyDocument"]["Statement"], 1):
                        yield _statement(f"{place}/{name}", number, each)


def _statement(role: str, number: int, given: Mapping[str, Any]) -> Statement:
    return Statement(
        role,
        given.get("Sid", f"statement {number}"),
        _listed(given["Action"]),
        _listed(given["Resource"]),
        given.get("Condition", {}),
        {"Version": "2012-10-17", "Statement": [given]},
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@cache
def statements() -> tuple[Statement, ...]:
    """All statements of all roles."""
    return tuple(_statements())


def of_role(role: str) -> tuple[Statement, ...]:
    return tuple(one for one in statements() if one.role == role)


def allowing(
    role: str, session: str, action: str, resource: str, context: Mapping[str, str | list[str]]
) -> tuple[str, ...]:
    """The names of the role's statements that allow a call; none where the policy of the session does not."""
    call = Call(action, resource, None, context)
    if role == "spoke/SpokeRole" and not allows([json.loads(session_policy(session))], call):
        return ()
    return tuple(one.name for one in of_role(role) if allows([one.document], call))


def granted(role: str, session: str) -> frozenset[str]:
    """The actions of a role; with a session, those that the session's policy leaves it."""
    actions = frozenset(action for one in of_role(role) for action in one.actions)
    if role != "spoke/SpokeRole":
        return actions
    policy = json.loads(session_policy(session))
    return frozenset(action for action in actions if allows([policy], Call(action, "*", None, {})))


@cache
def actors() -> tuple[tuple[str, str], ...]:
    """Each role; the one that functions assume in connected accounts once for each function."""
    roles = dict.fromkeys(one.role for one in statements())
    return tuple((role, name) for role in roles for name in (FUNCTIONS if role == "spoke/SpokeRole" else ("",)))
