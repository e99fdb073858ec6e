"""The self-check: an event that a schedule puts on an account's default bus and every rule on its way lets through.

Where it does not come back, no event of ECR does. Functions answer it at once, without a look at rulebook or registry.
That of a connected account arrives where its events of ECR would, and says of which account and region: EventBridge
sets both.
"""

from typing import Any, Literal

from ecr_steward.domain.names import RegistryRef
from ecr_steward.events.envelope import Envelope, parse

SOURCE = "ecr.steward.check"
DETAIL_TYPE = "Self Check"


class SelfCheckEvent(Envelope):
    """The way from an account's default bus is open. ``registry`` is that of the account and region."""

    source: Literal["ecr.steward.check"]
    detail_type: Literal["Self Check"]


def is_self_check(event: Any) -> bool:
    """Whether an event, as EventBridge delivers it, is a self-check of any account."""
    return isinstance(event, dict) and event.get("source") == SOURCE and event.get("detail-type") == DETAIL_TYPE


def read_self_check(event: Any) -> RegistryRef | None:
    """Where a self-check comes from; ``None`` for other events. Raises MalformedEventError."""
    return parse(SelfCheckEvent, event).registry if is_self_check(event) else None
