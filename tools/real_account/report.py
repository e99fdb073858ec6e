"""The report of a run: Markdown for people, JSON for programs. Neither has the account's id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from real_account.beliefs import Finding, Verdict, counts
from real_account.step import Step

MASK: Final = "111122223333"

type Played = Sequence[tuple[Step, Sequence[Finding]]]


@dataclass(frozen=True)
class Head:
    """What a report says of its run."""

    stage: str
    account: str
    region: str
    run_id: str
    began_at: str
    ended_at: str
    version: str
    left: Sequence[str] = ()
    """What could not be deleted, with the reason."""
    kept: Sequence[str] = ()
    """What stays for the later commands."""


def as_json(head: Head, played: Played) -> str:
    """The report as JSON."""
    document = {
        "stage": head.stage,
        "region": head.region,
        "run": head.run_id,
        "beganAt": head.began_at,
        "endedAt": head.ended_at,
        "version": head.version,
        "counts": counts(finding for _, findings in played for finding in findings),
        "findings": [_finding(step, finding) for step, findings in played for finding in findings],
        "left": list(head.left),
        "kept": list(head.kept),
    }
    return _masked(json.dumps(document, indent=2) + "\n", head.account)


def as_markdown(head: Head, played: Played) -> str:
    """The report as Markdown: first what is not as believed."""
    found = [finding for _, findings in played for finding in findings]
    summary = ", ".join(f"{number} {verdict}" for verdict, number in counts(found).items())
    lines = [
        f"# What {head.stage} answered",
        "",
        f"Run {head.run_id} in {head.region}, {head.began_at} to {head.ended_at}, ECR Steward {head.version}:",
        f"{summary}.",
        "",
    ]
    for verdict in (Verdict.NOT_AS_BELIEVED, Verdict.NOT_TRIED, Verdict.NOT_LOOKED_AT, Verdict.AS_BELIEVED):
        lines += _section(verdict, [(step, one) for step, those in played for one in those if one.verdict is verdict])
    lines += _list("Not deleted", head.left) + _list("Kept for the later commands", head.kept)
    return _masked("\n".join(lines), head.account)


def _section(verdict: Verdict, found: Sequence[tuple[Step, Finding]]) -> list[str]:
    if not found:
        return []
    lines = [f"## {str(verdict).capitalize()}", ""]
    lines += ["| belief | statement | source | how | expected | observed | details |", "|---|---|---|---|---|---|---|"]
    for step, one in found:
        cells = (one.belief.id, one.belief.statement, one.belief.source, step.how, one.belief.expected)
        lines.append("| " + " | ".join(_cell(text) for text in (*cells, one.observed, one.why)) + " |")
    return [*lines, ""]


def _list(title: str, entries: Iterable[str]) -> list[str]:
    found = [f"- {_cell(entry)}" for entry in entries]
    return [f"## {title}", "", *found, ""] if found else []


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _finding(step: Step, finding: Finding) -> Mapping[str, Any]:
    return {
        "step": step.name,
        "belief": finding.belief.id,
        "statement": finding.belief.statement,
        "source": finding.belief.source,
        "how": step.how,
        "expected": finding.belief.expected,
        "observed": finding.observed,
        "verdict": str(finding.verdict),
        "details": finding.why,
    }


def _masked(text: str, account: str) -> str:
    return text.replace(account, MASK)
