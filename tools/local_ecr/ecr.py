"""`LocalEcr`: Amazon ECR in one object, with both of its faces as one ASGI app."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from local_ecr.app import EcrApp
from local_ecr.services import Services


class LocalEcr(Services):
    """Amazon ECR below one folder. `app` serves its JSON API and its /v2/ API; `LocalEcrServer` listens for it.

    `on_event(account, region, event)` gets every EventBridge event after the change that caused it is committed, on
    the thread that made the change: it should only take note. `trail` says whether CloudTrail records are among them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app: ASGIApp = EcrApp(self)
