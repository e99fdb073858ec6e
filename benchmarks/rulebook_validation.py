"""How long `ecr-steward validate` takes for 50 rules, beside `custodian validate` for as many policies like them.

Both are asked as people ask them: a new process each time, in turns so that a busy moment meets both alike. Figures are
medians. The targets are those of people who wait: a version at once, a rulebook before they look away.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

TOOLS = Path(__file__).parents[1] / ".tools"
RULES = 50
PROCESSES = 11
VERSION_MS = 120.0
VALIDATE_MS = 300.0
TIMES_FASTER = 2.5

VERSION, OURS, CUSTODIAN = "ecr-steward --version", "ecr-steward validate", "custodian validate"


def rulebook() -> str:
    """Rules that keep image tags immutable, scanned on push and expired by count."""
    rule = """  - name: team-{0}
    match: {{repositories: ["team-{0}/**"]}}
    repository:
      mutability: {{immutable: true}}
      scanning: on_push
      lifecycle: [{{keep: {{newest: 30, tags: ["v*"]}}}}]
"""
    return "version: 1\nrules:\n" + "".join(rule.format(number) for number in range(RULES))


def policies() -> str:
    """The same in the words of Cloud Custodian."""
    policy = """  - name: team-{0}
    resource: aws.ecr
    filters: [{{type: value, key: repositoryName, op: regex, value: "team-{0}/.*"}}]
    actions:
      - {{type: set-immutability, state: true}}
      - {{type: set-scanning, state: true}}
      - type: set-lifecycle
        rules:
          - rulePriority: 1
            selection: {{tagStatus: tagged, tagPrefixList: [v], countType: imageCountMoreThan, countNumber: 30}}
            action: {{type: expire}}
"""
    return "policies:\n" + "".join(policy.format(number) for number in range(RULES))


def milliseconds(command: Sequence[str | Path], folder: Path) -> float:
    """One new process, which must find nothing wrong."""
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)  # noqa: S603  (written here)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure all in turns, print the medians, and fail when a target is missed."""
    custodian = TOOLS / "c7n" / "bin" / "custodian"
    if not custodian.is_file():
        sys.exit("Cloud Custodian is missing: run make bench, or make .tools/c7n/.installed")
    ours = Path(sys.executable).with_name("ecr-steward")
    commands: Mapping[str, Sequence[str | Path]] = {
        VERSION: [ours, "--version"],
        OURS: [ours, "validate", "ecr-steward.yaml"],
        CUSTODIAN: [custodian, "validate", "policies.yaml"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ecr-steward.yaml").write_text(rulebook(), encoding="utf-8")
        (folder / "policies.yaml").write_text(policies(), encoding="utf-8")
        for command in commands.values():  # bytecode is compiled once, and not in what is measured
            milliseconds(command, folder)
        for _ in range(PROCESSES):
            for asked, command in commands.items():
                times[asked].append(milliseconds(command, folder))
    medians = {name: statistics.median(values) for name, values in times.items()}
    table = Table(
        "command", "median ms", "fastest", "slowest", title=f"{RULES} rules or policies, {PROCESSES} processes"
    )
    for asked, values in times.items():
        table.add_row(asked, f"{medians[asked]:.0f}", f"{min(values):.0f}", f"{max(values):.0f}")
    Console().print(table)
    faster = medians[CUSTODIAN] / medians[OURS]
    print(f"validate is {faster:.1f} times as fast as Cloud Custodian's (target: {TIMES_FASTER})")
    if medians[VERSION] > VERSION_MS or medians[OURS] > VALIDATE_MS or faster < TIMES_FASTER:
        sys.exit(f"a target was missed: {VERSION_MS:.0f} ms, {VALIDATE_MS:.0f} ms, {TIMES_FASTER} times as fast")


if __name__ == "__main__":
    main()
