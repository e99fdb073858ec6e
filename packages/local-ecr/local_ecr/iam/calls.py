"""One call as policies see it: who asks, what for, upon what, and the condition keys that come with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Context = Mapping[str, str | Sequence[str]]
"""Condition keys, such as aws:SourceArn, in any case. A key that may have several values has a list of them."""

UNKNOWN = "\0 not known here"
"""Value of a condition key that such a request has at AWS and that is not known here: who asks for it is refused."""


class UnsupportedPolicyError(ValueError):
    """A policy uses something that this evaluation does not know; it is refused rather than guessed."""


@dataclass(frozen=True)
class Principal:
    """Who calls: an AWS service (`events.amazonaws.com`) or an IAM identity (its ARN)."""

    kind: str  # "Service" or "AWS"
    name: str
    role_arn: str | None = None
    """Of a role's session: its role. A policy may name either."""
    user_id: str = ""
    """Value of aws:userid: IAM's own id of a user, `ROLE-ID:SESSION` of a session, the account of a root."""
    session_began: str = ""
    """When the role was assumed, in ISO 8601; empty when that is not known."""
    is_bounded: bool = False
    """Whether a permission boundary is set for the user or the session's role."""

    @property
    def account(self) -> str:
        """Account of an IAM identity."""
        return self.name.split(":")[4]


@dataclass(frozen=True)
class Permission:
    """What a caller needs: an action, such as `ecr:PutImage`, on a resource (its ARN, or `*`)."""

    action: str
    resource: str


@dataclass(frozen=True)
class Call:
    """One call to decide about. `context` holds condition keys, such as aws:SourceArn, in any case."""

    action: str
    resource: str
    principal: Principal | None = None  # None: an identity policy, which names no principal
    context: Context = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The account that owns what is called upon: the one in its ARN, else the caller's own."""
        owner = (self.resource.split(":") + [""] * 5)[4]
        return owner or (self.principal.account if self.principal and self.principal.kind == "AWS" else "")

    @cached_property
    def keys(self) -> Context:
        """The condition keys in lower case, since policies may write them in any."""
        return {name.lower(): value for name, value in self.context.items()}

    @cached_property
    def folded_action(self) -> str:
        """The action in lower case: actions are the same in any."""
        return self.action.lower()
