"""Folders that a worker needs: the runtime client by itself, and the Lambda layers merged as /opt."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ecr_steward_sandbox.installed import link_distribution

RUNTIME_CLIENT = "awslambdaric"


def install_runtime_client(folder: Path) -> Path:
    """Link the runtime client and what it needs into a folder of their own: nothing else may reach a worker's path."""
    link_distribution(RUNTIME_CLIENT, folder)
    return folder


def install_launcher(folder: Path) -> Path:
    """Copy the launcher, with time-machine beside it, into a folder of their own. Returns the launcher."""
    link_distribution("time-machine", folder)
    return Path(shutil.copyfile(Path(__file__).with_name("launcher.py"), folder / "launcher.py"))


def merge_layers(layers: Sequence[Path], folder: Path) -> Path:
    """Present Lambda layers as one folder, later ones over earlier ones, as Lambda does in /opt. Links, no copies."""
    folder.mkdir(parents=True, exist_ok=True)
    _merge(layers, folder)
    return folder


def _merge(sources: Sequence[Path], folder: Path) -> None:
    names = sorted({entry.name for source in sources for entry in source.iterdir()})
    for name in names:
        entries = [source / name for source in sources if (source / name).exists()]
        folders = list(_folders_on_top(entries))
        if len(folders) > 1:
            (folder / name).mkdir()
            _merge(folders, folder / name)
        else:
            (folder / name).symlink_to(entries[-1].resolve())


def _folders_on_top(entries: Sequence[Path]) -> Iterable[Path]:
    """The last entries that are all folders; a file hides what lies below it."""
    on_top: list[Path] = []
    for entry in reversed(entries):
        if not entry.is_dir():
            break
        on_top.insert(0, entry)
    return on_top
