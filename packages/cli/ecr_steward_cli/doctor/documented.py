"""What ``docs/deploy/doctor.md`` says of the code, made from it: a test compares."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from ecr_steward_cli.doctor.asking import ACTIONS, BESIDE
from ecr_steward_cli.doctor.checks.catalogue import THEMES
from ecr_steward_cli.doctor.running import STACK_EXISTS, no_stack

ALL_ACTIONS: Final = frozenset(ACTIONS.values()) | BESIDE
"""Every action that doctor asks IAM for."""
_NARROW: Final[Mapping[str, tuple[list[str], str]]] = {
    "ReadStateTable": (["dynamodb:GetItem", "dynamodb:Query"], "arn:aws:dynamodb:*:*:table/*-StateTable-*"),
    "ReadRulebook": (["s3:GetObject"], "arn:aws:s3:::*/ecr-steward/rulebook.json"),
    "TryLogins": (
        ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "arn:aws:secretsmanager:*:*:secret:ecr-steward/*",
    ),
    "TrySpokeRoles": (["sts:AssumeRole"], "arn:aws:iam::*:role/ecr-steward-spoke"),
}
"""What reads more than settings, with the parameters' defaults: by statement its actions and resource."""


def check_tables() -> str:
    """Every check, a table for each theme."""
    return "\n".join(_tables())


def policy() -> str:
    """The policy that doctor needs, and no more."""
    narrow = {action for actions, _ in _NARROW.values() for action in actions}
    resources = {"LookAtTheSteward": (sorted(ALL_ACTIONS - narrow), "*"), **_NARROW}
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
        for sid, (actions, resource) in resources.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _tables() -> Iterator[str]:
    absent = no_stack("NAME", "REGION")
    for theme, checks in THEMES.items():
        yield f"### {theme[0].upper()}{theme[1:]}\n\n| check | looks at | what to do |\n|---|---|---|"
        if theme == "stack":
            yield _row(STACK_EXISTS, "whether there is a stack of this name in the region", absent.do)
        for check in checks:
            yield _row(check.id, check.looks_at, check.do)
        yield ""


def _row(check: str, looks_at: str, do: str) -> str:
    return f"| `{check}` | {looks_at} | {do.replace('{name}', 'NAME')} |"
