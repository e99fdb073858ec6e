"""One request of the data plane, as its handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from local_ecr.access.keys import RequestFacts
from local_ecr.access.permissions import permissions_for
from local_ecr.data.errors import DistributionError
from local_ecr.hosts import Authority
from local_ecr.iam import DISTRIBUTION
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.requests import facts_of
from local_ecr.services import Services

DEFAULT_PAGE = 100
MAX_PAGE = 1000
PLAIN_PAGE = 10_000
"""The largest page of a registry without quirks: all that most repositories have, and still bounded."""


@dataclass(frozen=True)
class DataCall:
    ecr: Services
    request: Request
    registry: Registry
    principal: Principal
    repository_name: str
    reference: str
    """What follows the repository's name: a tag, a digest or an upload's id; empty where the path has none."""

    @property
    def facts(self) -> RequestFacts:
        """What is known of the request from the outside."""
        return facts_of(self.request)

    @property
    def is_head(self) -> bool:
        return self.request.method == "HEAD"

    def require(self, operation: str, repository_name: str | None = None) -> None:
        """Pass the gate for an operation on a repository, this call's own unless another is named. Blocks."""
        name = self.repository_name if repository_name is None else repository_name
        names = [name] if name else []  # the catalog is of all
        permissions = permissions_for(self.registry, operation, names)
        self.ecr.gate.require(DISTRIBUTION, self.principal, self.registry, permissions, facts=self.facts)

    def throttle(self, operation: str) -> None:
        """Count a request of the caller's account. Raises EcrError ThrottlingException when it is one too many."""
        self.ecr.throttle.require(self.principal.account, self.registry.region, operation)

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def path(self, rest: str, **query: str) -> str:
        """A location inside this repository; relative, so that it works under every name of this host."""
        asked = f"?{urlencode(query)}" if query else ""
        return f"/v2/{self.repository_name}/{rest}{asked}"

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them; empty where it named no host."""
        authority = Authority.parse(self.request.headers.get("host", ""))
        return f"{self.request.scope['scheme']}://{authority}" if authority is not None else ""

    def next_page(self, rest: str, **query: str) -> dict[str, str]:
        return {"Link": f'<{self.path(rest, **query)}>; rel="next"'}

    def count(self) -> int:
        """`n` of a listing. Raises EcrError for what is no count."""
        quirks = self.ecr.quirks
        most = MAX_PAGE if quirks.tags_page_limit else PLAIN_PAGE
        given = self.query("n")
        if given is None:
            return DEFAULT_PAGE if quirks.tags_default_page else most
        if not given.isascii() or not given.isdigit():
            raise DistributionError("UNSUPPORTED", f"n is not a number of results: {given[:40]!r}", 400)
        asked = int(given[:10])  # more digits are more than any page
        if asked > most and quirks.tags_page_limit:
            raise DistributionError(
                "UNSUPPORTED",
                "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or "
                f"equal to {most}'",
                405,
            )
        return min(asked, most)


DataHandler = Callable[[DataCall], Awaitable[Response]]
