"""One call of an operation, as its handler sees it, and the few things that many handlers need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from local_ecr.access.keys import UNSENT, RequestFacts
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.iam import API, Context, Permission
from local_ecr.images.selection import ImageId
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.services import Services
from local_ecr.state.store import Store
from local_ecr.tokens import InvalidTokenError

DEFAULT_PAGE = 100
_PAGING = frozenset({"nextToken", "maxResults", "registryId"})
"""What may differ between two pages of one listing; the registry is known otherwise."""

Handler = Callable[["Call"], Mapping[str, Any]]

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    ecr: Services
    operation: str
    input: Mapping[str, Any]
    registry: Registry
    """Whose registry is addressed: `registryId` or a resource's ARN, else the caller's own."""
    principal: Principal
    facts: RequestFacts = UNSENT
    """What is known of the request from the outside."""

    def require(self, permissions: Iterable[Permission], keys: Context | None = None) -> None:
        """Pass the gate for more than the operation itself needs. Raises EcrError `AccessDeniedException`."""
        self.ecr.gate.require(API, self.principal, self.registry, permissions, keys, facts=self.facts)

    @property
    def store(self) -> Store:
        return self.ecr.store

    @property
    def repository_name(self) -> str:
        name: str = self.input["repositoryName"]
        return name

    @property
    def image_ids(self) -> list[ImageId]:
        return [image_id(one) for one in self.input.get("imageIds", ())]

    @property
    def page_size(self) -> int:
        size: int = self.input.get("maxResults", DEFAULT_PAGE)
        return size

    def now(self) -> datetime:
        return self.ecr.clock()

    def in_repository(self, **members: Any) -> dict[str, Any]:
        """An answer that begins with the names of registry and repository."""
        return {"registryId": self.registry.account, "repositoryName": self.repository_name, **members}

    def require_unpaged(self, member: str) -> None:
        """Refuse a page of what is named one by one. Raises EcrError InvalidParameterException."""
        if member in self.input and ("nextToken" in self.input or "maxResults" in self.input):
            raise invalid_parameter(member, "it goes with neither nextToken nor maxResults")

    def page_start(self, first: Any) -> Any:
        """Where this page begins: behind what `nextToken` remembers, or at `first`."""
        token = self.input.get("nextToken")
        if token is None:
            return first
        try:
            listing, position = self.ecr.signer.read_page_token(token)
        except InvalidTokenError:
            listing, position = None, None
        if listing != self._listing():
            raise EcrError("InvalidParameterException", "Invalid parameter at 'nextToken': it is not from this listing")
        return position

    def page(
        self, found: Sequence[T], position_of: Callable[[T], Any], size: int | None = None
    ) -> tuple[Sequence[T], str | None]:
        """What goes on this page of what was `found` with one row more than fits, and the token of the next page."""
        size = self.page_size if size is None else size
        shown = found[:size]
        if len(found) <= size:
            return shown, None
        return shown, self.ecr.signer.page_token([self._listing(), position_of(shown[-1])])

    def _listing(self) -> str:
        """What tells this listing from every other one: operation, registry, and all that was asked but its paging."""
        asked = {name: value for name, value in self.input.items() if name not in _PAGING}
        listing = [self.operation, self.registry.account, self.registry.region, asked]
        return hashlib.sha256(json.dumps(listing, sort_keys=True).encode()).hexdigest()


def image_id(given: Mapping[str, str]) -> ImageId:
    return ImageId(given.get("imageDigest"), given.get("imageTag"))
