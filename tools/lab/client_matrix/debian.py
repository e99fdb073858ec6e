"""Layers of the Debian packages that are installed here, with the dpkg database that says so: no download, no root."""

from __future__ import annotations

import io
import platform
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
"""The architecture of this machine, as Debian and OCI name it."""
ELSEWHERE = {"amd64": "arm64", "arm64": "amd64"}[HERE]
"""One whose programs this machine does not have: an image of it is made of packages of all architectures."""

FOR_ALL = ("ca-certificates", "tzdata")
PACKAGES = {HERE: ("base-files", "busybox-static", *FOR_ALL), ELSEWHERE: FOR_ALL}
"""What an image of each architecture is made of, one layer each."""

DATABASE = Path("/var/lib/dpkg")
STATUS = f"{DATABASE}/status".lstrip("/")
_CONTROL_FILES = ("list", "md5sums", "conffiles", "preinst", "postinst", "prerm", "postrm", "config", "templates")


class MissingPackageError(Exception):
    """A package that images are made of is not installed."""


@dataclass(frozen=True)
class Package:
    name: str
    architecture: str
    stanza: str
    """What the status file says of it."""
    files: tuple[Path, ...]
    """Folders, files and links that it brought and that are still there, and its own files in the database."""


def read_package(name: str) -> Package:
    """An installed package. Raises MissingPackageError."""
    shown = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Architecture}", name],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    if not shown.startswith("installed "):
        raise MissingPackageError(name)
    architecture = shown.split()[1]
    brought = [Path(line) for line in _ask("--listfiles", name).splitlines() if line.startswith("/") and line != "/."]
    control = [
        DATABASE / "info" / f"{stem}.{kind}" for stem in (name, f"{name}:{architecture}") for kind in _CONTROL_FILES
    ]
    files = tuple(path for path in [*brought, *control] if path.exists(follow_symlinks=False))
    return Package(name, architecture, _ask("--status", name), files)


def layers_of(names: Sequence[str]) -> Iterator[bytes]:
    """A tar for each package, in this order; each has the status of all up to it, as an installation leaves it.

    Raises MissingPackageError.
    """
    stanzas: list[str] = []
    for name in names:
        package = read_package(name)
        stanzas.append(package.stanza)
        yield _layer(package, "\n".join(stanzas))


def _layer(package: Package, status: str) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in package.files:
            tar.add(path, arcname=str(path).lstrip("/"), recursive=False, filter=_as_root)
        tar.add(DATABASE / "info" / "format", arcname=f"{DATABASE}/info/format".lstrip("/"), filter=_as_root)
        entry = tarfile.TarInfo(STATUS)
        data = status.encode()
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _ask(*arguments: str) -> str:
    return subprocess.run(["dpkg-query", *arguments], capture_output=True, text=True, check=True).stdout
