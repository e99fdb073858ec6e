"""What came of each fault: on the terminal, and as files."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mutants.runs import Result


def line(console: Console, result: Result) -> None:
    """Say at once what came of one."""
    mark = "[green]✓[/]" if result.killed_by else "[red]✗[/]"
    said = " ".join(filter(None, [result.killed_by or "survives", result.note and f"({result.note})"]))
    console.print(mark, result.fault.id, f"[dim]{result.seconds:.1f} s[/]", escape(said))


def table(console: Console, results: Sequence[Result]) -> None:
    """How many of each room were killed, and what survives."""
    rooms = Table("room", "faults", "killed", "seconds", title="Faults that tests fail on")
    for room in dict.fromkeys(result.fault.room for result in results):
        of_room = [result for result in results if result.fault.room == room]
        rooms.add_row(room, str(len(of_room)), str(_killed(of_room)), f"{sum(one.seconds for one in of_room):.0f}")
    rooms.add_section()
    rooms.add_row("all", str(len(results)), str(_killed(results)), f"{sum(one.seconds for one in results):.0f}")
    console.print(rooms)
    for result in results:
        if result.killed_by is None:
            fault = result.fault
            console.print(f"[red]survives[/] {fault.id} {fault.file} {escape(result.note)}")
            console.print(f"    - {escape(fault.before.strip())}\n    + {escape(fault.after.strip())}")


def keep(folder: Path, results: Sequence[Result]) -> None:
    """Write result.json, and result.md for people."""
    folder.mkdir(exist_ok=True)
    entries = [
        {
            "id": result.fault.id,
            "file": result.fault.file,
            "operator": result.fault.operator,
            "before": result.fault.before.strip(),
            "after": result.fault.after.strip(),
            "killed_by": result.killed_by,
            "seconds": round(result.seconds, 1),
            "note": result.note,
        }
        for result in results
    ]
    (folder / "result.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    rows = ["| fault | file | killed by | seconds |", "|---|---|---|---|"]
    for entry in entries:
        told = f"`{entry['killed_by']}`" if entry["killed_by"] else "**survives**"
        rows.append(f"| {entry['id']} | {entry['file']} | {told} {entry['note']} | {entry['seconds']} |")
    (folder / "result.md").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _killed(results: Sequence[Result]) -> int:
    return sum(result.killed_by is not None for result in results)
