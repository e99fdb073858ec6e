"""*Self-check*: a stack's schedule puts it on its own default bus, whose forwarder sends it on as it does ECR's events.

So it arrives where events of ECR would, and says of which account and region: EventBridge sets both.
"""

from collections.abc import Mapping
from typing import Any, Literal

from ecr_steward.domain.names import RegistryRef
from ecr_steward.events.envelope import Envelope, parse

_SOURCE = "ecr.steward.check"


class SelfCheckEvent(Envelope):
    """The way from an account's default bus is open. ``registry`` is that of the account and region."""

    source: Literal["ecr.steward.check"]
    detail_type: Literal["Self-check"]


def read_self_check(event: Any) -> RegistryRef | None:
    """Where a self-check comes from; ``None`` for other events. Raises MalformedEventError."""
    if not isinstance(event, Mapping) or event.get("source") != _SOURCE:
        return None
    return parse(SelfCheckEvent, event).registry
