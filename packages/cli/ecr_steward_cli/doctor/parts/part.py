"""One resource of a stack: how its template wants it, and how it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_steward_cli.doctor.asking import Asker, NotThereError, UnreadError
from ecr_steward_cli.doctor.findings import Unread

type Properties = Mapping[str, Any]
type Reader = Callable[[Asker, str, Properties], Properties]
"""Asks for a resource by physical id; the properties are those of the template. Raises NotThereError, UnreadError."""


@dataclass(frozen=True)
class Part:
    """One resource."""

    logical_id: str
    type: str
    physical_id: str
    wanted: Properties | Unread
    """As the template has it, every intrinsic function resolved."""
    found: Properties | Unread | None
    """As it is; ``None`` where it does not exist. A property that could not be read is an ``Unread``."""


def tried[Fact](read: Callable[[], Fact]) -> Fact | Unread | None:
    """What ``read`` answers: ``None`` where there is no such thing, an ``Unread`` where it cannot be known."""
    try:
        return read()
    except NotThereError:
        return None
    except UnreadError as error:
        return error.fact
