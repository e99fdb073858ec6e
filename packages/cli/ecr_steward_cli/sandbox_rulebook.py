"""The rulebook of the sandbox: which file it is, and how it is compiled each time that it is saved."""

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ecr_steward.rulebook.bounds import SPOKE_ACCOUNTS
from ecr_steward.rulebook.load import dump_compiled
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.parameters import BOUNDING, bounds_of
from ecr_steward_cli.report import show_findings
from ecr_steward_cli.rulebook_commands import find_rulebooks, read_rulebook, the_rulebook
from ecr_steward_sandbox.accounts import SPOKE_ACCOUNT
from ecr_steward_sandbox.assembly import EXAMPLE_RULEBOOK
from ecr_steward_sandbox.rulebook_watch import InvalidRulebookError, RulebookSource


def source_of(given: Path | None, parameters: Mapping[str, str]) -> RulebookSource:
    """The rulebook that was given, else the one here, else the example that is installed.

    `parameters` are the template's: they bound what the rulebook may name, as in a deployment.
    """
    path = given or (the_rulebook() if find_rulebooks(Path()) else EXAMPLE_RULEBOOK)
    bounding = {SPOKE_ACCOUNTS: SPOKE_ACCOUNT, **{name: parameters[name] for name in BOUNDING if name in parameters}}
    return RulebookSource(path, partial(_compile, path, [f"{name}={value}" for name, value in bounding.items()]))


def example_rulebook() -> str:
    """The example that is installed, compiled."""
    return _compile(EXAMPLE_RULEBOOK, [])


def _compile(path: Path, parameters: list[str]) -> str:
    file, rulebook, findings = read_rulebook(path)
    if file is not None and rulebook is not None:
        outside = bounds_of(path, parameters, "default").outside(rulebook)
        findings = [Finding.of_problem(file, problem) for problem in outside]
        if not findings:
            return dump_compiled(rulebook, path.name, file.source)
    text = io.StringIO()
    show_findings(findings, text)
    raise InvalidRulebookError(text.getvalue().rstrip())
