"""What ``docs/deploy/doctor.md`` says of the code, made from it: a test compares."""

import json
from collections.abc import Iterator

from ecr_steward_cli.doctor.asking import ACTIONS
from ecr_steward_cli.doctor.checks.catalogue import THEMES
from ecr_steward_cli.doctor.running import STACK_EXISTS, no_stack


def check_tables() -> str:
    """Every check, a table for each theme."""
    return "\n".join(_tables())


def policy() -> str:
    """The policy that doctor needs, and no more."""
    statement = {
        "Sid": "LookAtTheSteward",
        "Effect": "Allow",
        "Action": sorted(set(ACTIONS.values())),
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


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
