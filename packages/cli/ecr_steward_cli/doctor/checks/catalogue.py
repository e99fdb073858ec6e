"""All checks, theme by theme, in the order in which doctor reports them."""

from collections.abc import Mapping

from ecr_steward_cli.doctor.checks import account, functions, outside, queues, roles, rules, stack, stores
from ecr_steward_cli.doctor.checks.check import Check

THEMES: Mapping[str, tuple[Check, ...]] = {
    "stack": stack.CHECKS,
    "rules and schedules": rules.CHECKS,
    "queues": queues.CHECKS,
    "functions": functions.CHECKS,
    "roles": roles.CHECKS,
    "tables, notices, alarms and logs": stores.CHECKS,
    "rulebook and account": account.CHECKS,
    "beyond the account": outside.CHECKS,
}
"""By theme."""


def all_checks() -> tuple[Check, ...]:
    """Every check."""
    return tuple(check for checks in THEMES.values() for check in checks)
