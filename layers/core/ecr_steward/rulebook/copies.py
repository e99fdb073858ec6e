"""Copies that an entry of a rule could never make, whatever the other rules say."""

from collections.abc import Iterator

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.model import Rule
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.replicate import Destination, Replicate


def copies_arrive(rule: Rule, copy: Replicate, at: Path, *, is_judged: bool) -> Iterator[Problem]:
    """What keeps the copies of one entry from being made. ``is_judged`` says whether any rule says ``scan``."""
    if "scan_passed" in copy.when and not is_judged:
        yield Problem(
            (*at, "when", copy.when.index("scan_passed")),
            "`scan_passed` waits for a verdict that no rule ever gives: none has `scan`",
            "`scan: {fail_on: {severity: HIGH}}` in this rule, or no `when`",
            code=Code.WAITS_FOR_NO_VERDICT,
        )
    for which, destination in enumerate(copy.to):
        if not destination.registry and _leads_to_itself(rule, destination):
            yield Problem(
                (*at, "to", which),
                "every repository of this rule would be copied onto itself",
                code=Code.COPIED_ONTO_ITSELF,
            )


def _leads_to_itself(rule: Rule, destination: Destination) -> bool:
    """Whether source and destination are the same wherever the rule applies."""
    return (
        destination.repository in {None, "{name}"}
        and (destination.account is None or set(rule.match.accounts) == {destination.account})
        and (destination.region is None or set(rule.match.regions) == {destination.region})
    )
