"""What all attacks have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from lab.hostile.content import Content, layer, manifest
from lab.hostile.registry import Registry
from lab.hostile.serving import Exchange
from lab.hostile.witness import Witness

SOURCE = "team/source"
"""The repository that is copied from."""
TAG = "1.0"


def destination_of(reference: str) -> str:
    """The repository that this is copied to."""
    return f"team/destination/{'pinned' if ':' in reference else reference}"


def tag_of(reference: str) -> str:
    """The tag that it gets there."""
    return TAG if ":" in reference else reference


class Asked(StrEnum):
    """What a client is asked to do."""

    COPY = "copy"
    TAGS = "tags"
    REFERRERS = "referrers"


class Side(StrEnum):
    """Which of the two registries is hostile."""

    SOURCE = "source"
    DESTINATION = "destination"
    BOTH = "both"


@dataclass
class Attack:
    """One attack. The registry that it is in has a login, and an honest image where there is no worse one."""

    number: ClassVar[int]
    name: ClassVar[str]
    advisories: ClassVar[str] = ""
    """Where somebody fell for it, and threads about that."""
    asked: ClassVar[Asked] = Asked.COPY
    side: ClassVar[Side] = Side.SOURCE
    references: ClassVar[tuple[str, ...]] = (TAG,)
    """Each is copied by a command of its own, and all must be stood."""
    may_succeed: ClassVar[bool] = False
    """Whether a client that says that all went well can have stood, if all did go well."""
    is_closed: ClassVar[bool] = False
    """Whether nothing at all may reach the second origin."""
    most_requests: ClassVar[int] = 1_000_000
    """How many requests the registry may get."""
    is_encrypted: ClassVar[bool] = False
    said: ClassVar[str | None] = None
    """What `ecr-steward copy` says of it, as a pattern; without one it copies, and nothing is wrong with that."""

    witness: Witness
    registry: Registry
    layer: Content

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.registry = Registry(
            wants_login=True, before_login=self.before_login, after_login=self.answer, realm=self.realm
        )
        self.layer = layer()
        self.url = ""

    @property
    def title(self) -> str:
        """Its number and name."""
        return f"{self.number} {self.name}"

    def fill(self, registry: Registry) -> None:
        """Put what is to be copied into the registry that is copied from."""
        for reference in self.references:
            registry.put(SOURCE, self.image(reference), reference, blobs=(self.layer,))

    def image(self, reference: str) -> Content:
        """What is to be copied under this tag."""
        return manifest([self.layer.descriptor], annotations={"of": reference})

    def said_of(self, reference: str) -> str | None:
        """As ``said``, of one of several references."""
        return self.said

    def environment(self) -> Mapping[str, str]:
        """What the client finds in its environment beside its login."""
        return {}

    def realm(self) -> str:
        """Where tokens are said to come from."""
        return f"{self.url}/token"

    def before_login(self, exchange: Exchange) -> bool:
        """Answer a request before anybody has logged in; false where it is to be answered honestly."""
        return False

    def answer(self, exchange: Exchange) -> bool:
        """Likewise, to whoever has logged in."""
        return False

    def is_manifest(self, exchange: Exchange, *references: str) -> bool:
        """Whether one of these manifests is asked for, or without any, one at all."""
        found = re.fullmatch(rf"/v2/{SOURCE}/manifests/(.*)", exchange.place)
        return exchange.is_read and found is not None and (not references or found[1] in references)

    def is_layer(self, exchange: Exchange) -> bool:
        """Whether the layer itself is asked for."""
        return exchange.command == "GET" and exchange.place == f"/v2/{SOURCE}/blobs/{self.layer.digest}"
