"""How the findings are shown: a line for each check, and for a problem what to do."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from ecr_steward_cli.doctor.checks.catalogue import THEMES
from ecr_steward_cli.doctor.findings import Finding, Status

FORMAT: Final = 1
"""Of the JSON document: members may be added, none changes its meaning."""
_COLOURS: Final = {Status.OK: "green", Status.PROBLEM: "red", Status.NOT_LOOKED_AT: "yellow"}


@dataclass(frozen=True)
class Looked:
    """What was found out about a stack."""

    stack_name: str
    region: str
    account: str
    """Empty where the stack does not exist."""
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Counter[Status]:
        """How many findings there are of each status."""
        return Counter(finding.status for finding in self.findings)


def as_json(looked: Looked) -> str:
    """The findings for programs."""
    return json.dumps(
        {
            "schema_version": FORMAT,
            "stack": looked.stack_name,
            "region": looked.region,
            "account": looked.account,
            "ok": looked.counts[Status.OK],
            "problems": looked.counts[Status.PROBLEM],
            "not_looked_at": looked.counts[Status.NOT_LOOKED_AT],
            "findings": [
                {
                    "check": finding.check,
                    "status": finding.status.value,
                    "subject": finding.subject,
                    "message": finding.message,
                    "do": finding.do,
                }
                for finding in looked.findings
            ],
        },
        indent=2,
    )


def show(looked: Looked, stream: TextIO) -> None:
    """Print the findings. Colours only on a terminal, and never with NO_COLOR."""
    console = Console(file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False)
    for line in _lines(looked):
        console.print(line)


def _lines(looked: Looked) -> Iterator[Text]:
    where = f" of {looked.account}" if looked.account else ""
    yield Text(f"stack {looked.stack_name} in {looked.region}{where}", "bold")
    width = max(len(finding.check) for finding in looked.findings)
    themes = {check.id: theme for theme, checks in THEMES.items() for check in checks}
    last = "stack"
    for finding in looked.findings:
        if (theme := themes.get(finding.check, last)) != last:
            yield Text(theme, "bold")
            last = theme
        yield _text(finding, width)
    yield Text(
        f"{looked.counts[Status.OK]} ok, {looked.counts[Status.PROBLEM]} wrong, "
        f"{looked.counts[Status.NOT_LOOKED_AT]} not looked at"
    )


def _text(finding: Finding, width: int) -> Text:
    text = Text("  ")
    text.append(f"{finding.status.value:<13} ", _COLOURS[finding.status])
    text.append(f"{finding.check:<{width}}  ")
    text.append(": ".join(filter(None, (finding.subject, finding.message))))
    if finding.do:
        text.append(f"\n{'':<16}{'':<{width}}  {finding.do}", "dim")
    return text
