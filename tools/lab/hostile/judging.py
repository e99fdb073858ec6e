"""Whether a client has stood an attack."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.hostile.attack import Attack, destination_of, tag_of
from lab.hostile.clients import Client
from lab.hostile.registry import PASSWORD
from lab.hostile.running import Ran, run
from lab.hostile.stage import Stage, stage

MEMORY = 64 << 20
"""Bytes over what the copy of a small image takes."""
CRASHES = ("panic:", "Traceback (most recent call last)", "fatal error:")


@dataclass(frozen=True)
class Met:
    """One command of a client, and what it left."""

    reference: str
    said: str | None
    """As ``Attack.said``."""
    ran: Ran
    tags: tuple[str, ...]
    """Of the repository that was copied to."""
    fall: str | None
    """Why the client fell; ``None`` where it stood."""


@dataclass(frozen=True)
class Outcome:
    """What became of one attack on one client, which was given a command for each reference."""

    met: tuple[Met, ...]
    visits: int
    """How often the second origin was called."""

    @property
    def fall(self) -> str | None:
        """Why the client fell; ``None`` where it stood."""
        return next((each.fall for each in self.met if each.fall), None)

    @property
    def is_asked(self) -> bool:
        """Whether the client can be asked for this at all."""
        return bool(self.met)


class Calm(Attack):
    """No attack: what a client needs when nothing is wrong."""

    number = 0
    name = "no attack"
    may_succeed = True


def attacked(client: Client, kind: type[Attack], idle_bytes: int) -> Outcome:
    """Let a client, whose copies take ``idle_bytes`` at least, meet an attack."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name, stage(kind, Path(name)) as set_up:
        met = []
        for reference in set_up.attack.references:
            command = client.command(set_up, reference)
            if command is not None:
                ran = run([client.path or client.program, *command], set_up.environment)
                tags = tuple(set_up.stored.tags(destination_of(reference)))
                said = set_up.attack.said_of(reference)
                met.append(Met(reference, said, ran, tags, _fall(set_up, reference, ran, idle_bytes)))
        return Outcome(tuple(met), len(set_up.witness.visits))


def idle_bytes(client: Client) -> int:
    """The memory that a client takes when nothing is wrong. Raises RuntimeError where something is."""
    outcome = attacked(client, Calm, 1 << 40)
    (met,) = outcome.met
    if met.fall or met.ran.status or met.tags != Calm.references:
        raise RuntimeError(f"{client.name} cannot copy an image: {met.fall or met.ran.errors[-1000:]}")
    return met.ran.peak_bytes


def _fall(stage: Stage, reference: str, ran: Ran, idle: int) -> str | None:
    """The two worst things that happened."""
    attack, repository, tag = stage.attack, destination_of(reference), tag_of(reference)
    is_there = (repository, tag) in stage.stored.manifests
    is_whole = stage.stored.is_whole(repository, tag)
    said = ran.output + ran.errors
    falls = {
        "credential sent": stage.witness.has_credential,
        "content sent": stage.witness.has_content,
        "followed": attack.is_closed and bool(stage.witness.visits) and not stage.witness.has_credential,
        "crashed": any(crash in said for crash in CRASHES) or (ran.status is not None and ran.status < 0),
        "never ends": ran.status is None,
        f"{ran.peak_bytes >> 20} MiB": ran.peak_bytes > idle + MEMORY,
        f"{attack.registry.requests} requests": attack.registry.requests > attack.most_requests,
        "accepted": ran.status == 0 and not attack.may_succeed,
        "incomplete": is_there and not is_whole,
        "password shown": PASSWORD in said,
    }
    found = [fall for fall, is_so in falls.items() if is_so]
    return ", ".join(found[:2]) or None
