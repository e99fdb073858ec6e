"""Folders that a worker needs: the runtime client by itself, and the Lambda layers merged as /opt."""

from __future__ import annotations

import compileall
import re
import shutil
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

RUNTIME_CLIENT = "awslambdaric"


def install_runtime_client(folder: Path) -> Path:
    """Copy the runtime client and what it needs into a folder of their own: nothing else may reach a worker's path."""
    _install(RUNTIME_CLIENT, folder)
    compileall.compile_dir(folder, quiet=2)
    return folder


def install_launcher(folder: Path) -> Path:
    """Copy the launcher, and time-machine beside it, into a folder of their own. Returns the launcher."""
    _install("time-machine", folder)
    shutil.copyfile(Path(__file__).with_name("launcher.py"), folder / "launcher.py")
    compileall.compile_file(folder / "time_machine" / "__init__.py", quiet=2)
    return folder / "launcher.py"


def _install(distribution_name: str, folder: Path) -> None:
    names, seen = [distribution_name], set[str]()
    while names:
        name = re.split(r"[^\w.-]", names.pop(), maxsplit=1)[0]  # a requirement: name, version, markers
        if name in seen:
            continue
        seen.add(name)
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            if file.parts[0] == ".." or file.suffix == ".pyc":
                continue  # scripts, and bytecode of this interpreter's own path
            destination = folder / file
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(distribution.locate_file(file)), destination)
        names += [text for text in distribution.requires or () if "extra ==" not in text]


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
