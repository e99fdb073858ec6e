"""The text of a policy document, which ECR takes up to a length, and the same meaning in fewer characters."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ecr_steward.domain.policies.principals import Principal, spelled, without
from ecr_steward.domain.policies.statements import Statement, grants_of
from ecr_steward.domain.repositories import Document

POLICY_LIMIT: Final = 10_240
"""Characters in a repository policy (``policyText`` in the SetRepositoryPolicy API reference)."""


def policy_text(document: Document) -> str:
    """A policy document as it is written to ECR."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def is_too_long(document: Document) -> bool:
    """Whether ECR refuses a policy document for its length alone."""
    return len(policy_text(document)) > POLICY_LIMIT


def compacted(document: Document, is_own: Callable[[Statement], bool], own_sid: str) -> Document:
    """The same policy in fewer characters; others' statements are only joined where all else was not enough.

    Statements that are about the same actions under the same circumstances become one, what another statement says
    already is left out, accounts are named by their ids, and own statements are called ``own_sid`` and a number.
    """
    statements = [Statement(each, document.get("Version", "")) for each in document["Statement"]]
    own = _joined(_unsaid([each for each in statements if is_own(each)]))
    for number, each in enumerate(own, start=1):
        own[number - 1] = Statement({**each.written, "Sid": f"{own_sid}{number}"}, each.version)
    others = [each for each in statements if not is_own(each)]
    shorter = {**document, "Statement": [dict(each.written) for each in (*others, *own)]}
    if not is_too_long(shorter):
        return shorter
    said = grants_of(own)
    others = _joined([each for each in others if not each.grants <= said])
    return {**document, "Statement": [dict(each.written) for each in (*others, *own)]}


def _unsaid(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Statements without the principals for whom another one says as much and more."""
    for number, each in enumerate(statements):
        covered = frozenset[Principal]().union(
            *(
                other.principals
                for position, other in enumerate(statements)
                if position != number
                and other.circumstances == each.circumstances
                and (each.actions < other.actions or (each.actions == other.actions and position < number))
            )
        )
        if not covered & each.principals:
            yield each
        elif (left := without(each.written["Principal"], covered)) is not None:
            yield Statement({**each.written, "Principal": left}, each.version)


def _joined(statements: Iterator[Statement] | Sequence[Statement]) -> list[Statement]:
    """Statements that differ only in their principals as one."""
    groups: dict[object, list[Statement]] = {}
    for each in statements:
        groups.setdefault((each.actions, each.circumstances, "Principal" in each.written), []).append(each)
    return [joined for group in groups.values() for joined in _one_of(group)]


def _one_of(group: list[Statement]) -> list[Statement]:
    first = group[0]
    whom: Any = spelled(frozenset[Principal]().union(*(each.principals for each in group)), short=True)
    if whom is None or "Principal" not in first.written:
        return group
    return [Statement({**first.written, "Principal": whom}, first.version)]
