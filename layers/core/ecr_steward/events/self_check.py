"""The self-check: an event that a schedule puts on the default bus and every rule of a function lets through.

Where it does not come back, no event of ECR does. Functions answer it at once, without a look at rulebook or registry.
"""

from typing import Any

SOURCE = "ecr.steward.check"
DETAIL_TYPE = "Self Check"


def is_self_check(event: Any) -> bool:
    """Whether an event, as EventBridge delivers it, is a self-check of any account."""
    return isinstance(event, dict) and event.get("source") == SOURCE and event.get("detail-type") == DETAIL_TYPE
