"""When an image was last pulled: recorded at most once a day, and not for principals whose pulls do not count.

Sources: `lastRecordedPullTime` of the API model; ECR user guide, "Pull-time update exclusions". That BatchGetImage is a
pull: github.com/aws/containers-roadmap/issues/2390. What an index lists is not pulled with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from local_ecr.errors import DiskRefusedError
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.state import images, registries
from local_ecr.state.images import Image
from local_ecr.state.store import Store

INTERVAL = timedelta(hours=24)


def record_pulls(
    store: Store, registry: Registry, principal: Principal, pulled: Iterable[Image], now: datetime
) -> None:
    """Record that these images, as they were just read, were pulled; writes only when one was not within a day.

    A disk that takes no more is no reason not to serve what is on it.
    """
    not_since = (now - INTERVAL).timestamp()
    due = [image for image in pulled if image.last_pulled_at is None or image.last_pulled_at <= not_since]
    if not due:
        return
    with store.reading() as connection:
        excluded = registries.get(connection, registry, registries.PULL_TIME_EXCLUSIONS) or {}
    if principal.arn in excluded or principal.role_arn in excluded:
        return
    with suppress(DiskRefusedError), store.changing() as change:
        for image in due:
            images.record_pull(change.connection, image, now.timestamp(), not_since=not_since)
