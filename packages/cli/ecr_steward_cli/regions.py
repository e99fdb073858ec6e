"""The regions that AWS has, as the installed botocore knows them, and names that are none of them."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward_cli.refusal import refuse

_PSEUDO: Final = "-global"
"""How the names end that botocore has for services without regions, such as ``aws-global``."""


@cache
def _partitions() -> Any:
    return json.loads((files("botocore") / "data" / "partitions.json").read_bytes())["partitions"]


@cache
def known_regions() -> frozenset[str]:
    """All regions of all partitions. Read from botocore's data alone: making a session takes far longer."""
    names = (name for partition in _partitions() for name in partition["regions"])
    return frozenset(name for name in names if not name.endswith(_PSEUDO))


def is_of_aws(host: str) -> bool:
    """Whether a host is below a domain of AWS, and so no emulator on this machine or elsewhere."""
    domains = {partition["outputs"][key] for partition in _partitions() for key in ("dnsSuffix", "dualStackDnsSuffix")}
    return host.endswith(tuple(f".{domain}" for domain in domains))


def require_region(name: str) -> str:
    """The name, where AWS has such a region. Raises SystemExit, and says which one was most likely meant."""
    if name not in known_regions():
        nearest = nearest_word(name, sorted(known_regions()))
        meant = f"did you mean {nearest}? " if nearest else ""
        refuse(f"`{name}` is not a region of AWS; {meant}{_newer()}", Code.UNKNOWN_REGION)
    return name


def unknown_regions(rulebook: Rulebook) -> Iterator[Problem]:
    """Each name or pattern of the rulebook that no region of AWS has.

    The functions do not ask this: a region may be newer than the botocore that they are built with.
    """
    for path, name in _regions_in(rulebook, ()):
        pattern = re.compile(".*".join(map(re.escape, name.split("*"))))
        if not any(map(pattern.fullmatch, known_regions())):
            yield Problem(
                path,
                f"`{name}` is not a region of AWS" if "*" not in name else f"`{name}` matches no region of AWS",
                f"a region of AWS; {_newer()}",
                None if "*" in name else nearest_word(name, sorted(known_regions())),
                code=Code.UNKNOWN_REGION,
            )


def _regions_in(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """What stands under the keys ``region`` and ``regions`` of models; other mappings are free in their keys."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            at, found = (*path, field.alias or name), getattr(value, name)
            if name == "region" and found is not None:
                yield at, found
            elif name == "regions":
                yield from _numbered(found, at)
            else:
                yield from _regions_in(found, at)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _regions_in(each, (*path, number))


def _numbered(names: Iterable[str], path: Path) -> Iterator[tuple[Path, str]]:
    return (((*path, number), name) for number, name in enumerate(names))


def _newer() -> str:
    from botocore import __version__  # noqa: PLC0415 - a valid rulebook needs it not

    return f"a region newer than botocore {__version__} needs a newer botocore"
