"""`ecr-steward copy` and its peers through one hostile registry, with thirty attacks: who stands how many.

To stand is to let neither a password nor content get to another server, to end by itself within 30 s, to need no more
than 64 MiB over what the copy of a small image takes, to call nothing a success that is none, and to leave no tag that
shows what is incomplete. Ends with 1 when ours falls once.
"""

import argparse
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from lab.hostile.catalogue import ATTACKS
from lab.hostile.clients import OTHERS, OURS, Client
from lab.hostile.judging import Outcome, attacked, idle_bytes

NEVER_ASKED = "–"
FIRST = 16
"""Attacks that others have measured before."""


def main() -> None:
    """Attack all clients that are here, and print what became of them."""
    options = _options()
    clients = [OURS] if options.ours else [OURS, *(client for client in OTHERS if client.path)]
    idle = {client.name: idle_bytes(client) for client in clients}
    chosen = [attack for attack in ATTACKS if not options.only or attack.number in options.only]
    found: dict[int, dict[str, Outcome]] = {}
    for attack in chosen:
        found[attack.number] = {client.name: attacked(client, attack, idle[client.name]) for client in clients}
        told = ", ".join(f"{name}: {_word(outcome)}" for name, outcome in found[attack.number].items())
        print(f"{attack.number} {attack.name}: {told}", flush=True)
    _tell(clients, found, idle)
    if any(outcomes[OURS.name].fall for outcomes in found.values()):
        sys.exit(1)


def _tell(clients: list[Client], found: Mapping[int, Mapping[str, Outcome]], idle: Mapping[str, int]) -> None:
    table = Table("attack", *(client.name for client in clients), title="Hostile registries")
    names = {attack.number: attack.name for attack in ATTACKS}
    for number, outcomes in found.items():
        table.add_row(f"{number} {names[number]}", *(_word(outcomes[client.name]) for client in clients))
    for title, numbers in ((f"stood of the first {FIRST}", range(FIRST + 1)), ("stood", range(len(ATTACKS) + 1))):
        table.add_row(title, *(_score(client, found, numbers) for client in clients))
    table.add_row("memory of a small copy", *(f"{idle[client.name] >> 20} MiB" for client in clients))
    Console(width=None if sys.stdout.isatty() else 130).print(table)


def _score(client: Client, found: Mapping[int, Mapping[str, Outcome]], numbers: range) -> str:
    outcomes = [each[client.name] for number, each in found.items() if number in numbers and each[client.name].is_asked]
    return f"{sum(outcome.fall is None for outcome in outcomes)} of {len(outcomes)}"


def _word(outcome: Outcome) -> str:
    if not outcome.is_asked:
        return NEVER_ASKED
    seconds = max(met.ran.seconds for met in outcome.met)
    return outcome.fall or (f"stood, {seconds:.0f} s" if seconds >= 3 else "stood")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", action="store_true", help="attack ours alone")
    parser.add_argument("--only", type=int, action="append", metavar="N", help="this attack; may be given again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
