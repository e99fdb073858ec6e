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
SESSIONS_OF: Final = "spoke/SpokeRole"
"""The role of those sessions: each has a policy of its own."""


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


def hub_roles() -> frozenset[str]:
    """The logical ids of the hub's roles."""
    return frozenset(one.role.removeprefix("hub/") for one in statements() if one.role.startswith("hub/"))


def of_actor(actor: str) -> tuple[Statement, ...]:
    """The statements of its role that have an action which the policy of the session leaves it."""
    return tuple(one for one in statements() if one.role == role_of(actor) and granted(actor) & set(one.actions))


def role_of(actor: str) -> str:
    return actor.partition(" as ")[0]


def allowing(actor: str, action: str, resource: str, context: Mapping[str, str | list[str]]) -> Iterator[str]:
    """The names of the statements that allow a call; none where the policy of the session does not."""
    call = Call(action, resource, None, context)
    if action in granted(actor):
        for one in statements():
            if one.role == role_of(actor) and action in one.actions and allows([one.document], call):
                yield one.name


@cache
def granted(actor: str) -> frozenset[str]:
    """The actions of a role; with a session, those that the session's policy leaves it."""
    role, _, session = actor.partition(" as ")
    actions = frozenset(action for one in statements() if one.role == role for action in one.actions)
    if not session:
        return actions
    policy = json.loads(session_policy(session))
    return frozenset(action for action in actions if allows([policy], Call(action, "*", None, {})))


@cache
def actors() -> tuple[str, ...]:
    """Each role; the one that functions assume in connected accounts once for each function, with its session."""
    roles = dict.fromkeys(one.role for one in statements())
    named = [[f"{role} as {name}" for name in FUNCTIONS] if role == SESSIONS_OF else [role] for role in roles]
    return tuple(actor for actors in named for actor in actors)
