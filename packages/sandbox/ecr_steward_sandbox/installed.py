"""Installed distributions, linked into folders of their own: what a worker's path is made of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_NOT_TO_IMPORT: Final = frozenset({"..", "__pycache__"})


def link_distribution(name: str, folder: Path) -> None:
    """Link an installed distribution, and what it depends on, into a folder that then has nothing else to import."""
    entries = {entry.name: entry for each in installed_with(name) for entry in _entries(each)}
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier start, perhaps in another environment
    folder.mkdir(parents=True)
    for entry_name, entry in entries.items():
        (folder / entry_name).symlink_to(entry)


def installed_with(name: str) -> Iterator[metadata.Distribution]:
    """A distribution and those that it depends on in this environment, each once."""
    names, seen = [name], set[str]()
    while names:
        key = canonicalize_name(names.pop())
        if key in seen:
            continue
        seen.add(key)
        distribution = metadata.distribution(key)
        yield distribution
        needs = map(Requirement, distribution.requires or ())
        names += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]


def _entries(distribution: metadata.Distribution) -> Iterator[Path]:
    """What a distribution put beside others in site-packages; of an editable one its package where it is."""
    top_level = {file.parts[0] for file in distribution.files or ()} - _NOT_TO_IMPORT
    for entry in sorted(top_level):
        if not entry.endswith(".pth"):
            yield Path(str(distribution.locate_file(entry)))
    if any(entry.endswith(".pth") for entry in top_level):
        yield from _editable_packages(distribution)


def _editable_packages(distribution: metadata.Distribution) -> Iterator[Path]:
    """An editable distribution lists a .pth file, which names the folder that its package is in."""
    for file in distribution.files or ():
        if file.suffix == ".pth":
            for folder in file.read_text().splitlines():
                yield from (entry.parent for entry in sorted(Path(folder).glob("*/__init__.py")))
