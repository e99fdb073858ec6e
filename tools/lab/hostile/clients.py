"""Programs that copy images, and what to tell them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.hostile.attack import SOURCE, Asked, destination_of, tag_of
from lab.hostile.stage import Stage

type Command = list[str | Path]


@dataclass(frozen=True)
class Client:
    """A program. ``command`` says how it is asked; ``None`` where it cannot be asked for that at all."""

    name: str
    program: str | Path
    command: Callable[[Stage, str], Command | None]

    @property
    def path(self) -> str | None:
        """Where it is, if it is."""
        return shutil.which(self.program)


def ends(stage: Stage, reference: str) -> tuple[str, str]:
    """What is copied, and to where."""
    here = f"{stage.source}/{SOURCE}{'@' if ':' in reference else ':'}{reference}"
    return here, f"{stage.destination}/{destination_of(reference)}:{tag_of(reference)}"


def _ours(stage: Stage, reference: str) -> Command:
    here, there = ends(stage, reference)
    if stage.attack.asked is Asked.TAGS:
        return ["copy", "--all-tags", f"{stage.source}/{SOURCE}", f"{stage.destination}/{destination_of(reference)}"]
    return ["copy", *(["--referrers"] if stage.attack.asked is Asked.REFERRERS else []), here, there]


def _skopeo(stage: Stage, reference: str) -> Command | None:
    if stage.attack.asked is Asked.REFERRERS:
        return None
    if stage.attack.asked is Asked.TAGS:
        return ["list-tags", "--tls-verify=false", f"docker://{stage.source}/{SOURCE}"]
    here, there = ends(stage, reference)
    encrypted = "true" if stage.attack.is_encrypted else "false"
    options = [f"--src-tls-verify={encrypted}", "--dest-tls-verify=false"]
    return ["--insecure-policy", "copy", "--all", *options, f"docker://{here}", f"docker://{there}"]


def _oras(stage: Stage, reference: str) -> Command:
    if stage.attack.asked is Asked.TAGS:
        return ["repo", "tags", "--plain-http", f"{stage.source}/{SOURCE}"]
    more = ["--recursive"] if stage.attack.asked is Asked.REFERRERS else []
    plain = [] if stage.attack.is_encrypted else ["--from-plain-http"]
    return ["cp", "--no-tty", *more, *plain, "--to-plain-http", *ends(stage, reference)]


def _crane(stage: Stage, reference: str) -> Command | None:
    if stage.attack.asked is Asked.REFERRERS:
        return None
    if stage.attack.asked is Asked.TAGS:
        return ["ls", f"{stage.source}/{SOURCE}"]
    return ["copy", *ends(stage, reference)]


OURS = Client("ecr-steward", Path(sys.executable).with_name("ecr-steward"), _ours)
OTHERS: Sequence[Client] = (
    Client("skopeo", "skopeo", _skopeo),
    Client("oras", "oras", _oras),
    Client("crane", "crane", _crane),
)
