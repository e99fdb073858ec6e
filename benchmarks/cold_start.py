"""How long a function takes to import in a new process, from built artefacts alone; beside Python and boto3 alone.

A cold start in Lambda also starts a sandbox and loads the code onto it, which cannot be measured here; importing is
the part that our code decides. Each figure is the median of several processes, taken in turns so that a busy moment
meets all alike.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

BUILD = Path(__file__).parents[1] / ".aws-sam" / "build"
LAYER = BUILD / "CoreLayer" / "python"
PROCESSES = 11

NOTHING = "Python alone"
SDK = "boto3 and a client of ECR alone"


def subjects() -> Mapping[str, tuple[str, Path]]:
    """What is measured: a name, the code that a new process runs, and the folder that it runs in."""
    client = "import boto3; boto3.client('ecr', region_name='us-east-1')"
    functions = {folder.name: ("import app", folder) for folder in sorted(BUILD.glob("*Function"))}
    if not functions:
        sys.exit("there is no build: run make build")
    return {NOTHING: ("pass", LAYER), SDK: (client, LAYER), **functions}


def milliseconds(code: str, folder: Path) -> float:
    """One new process, with nothing in its environment but the import path. Its bytecode is the one that was built."""
    started = time.perf_counter()
    subprocess.run(  # noqa: S603  (the command is written here)
        [sys.executable, "-S", "-B", "-c", code],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{LAYER}"},
        check=True,
        timeout=60,
    )
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure all in turns, and print the medians."""
    measured = subjects()
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(PROCESSES):
        for name, (code, folder) in measured.items():
            times[name].append(milliseconds(code, folder))
    medians = {name: statistics.median(values) for name, values in times.items()}
    table = Table("import in a new process", "median ms", "fastest", "slowest", title=f"{PROCESSES} processes each")
    for name, values in times.items():
        table.add_row(name, f"{medians[name]:.0f}", f"{min(values):.0f}", f"{max(values):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
