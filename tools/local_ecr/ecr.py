"""`LocalEcr`: Amazon ECR in one object, with both of its faces as one ASGI app."""

from __future__ import annotations

from functools import cached_property

from starlette.types import ASGIApp

from local_ecr.app import EcrApp
from local_ecr.services import Services


class LocalEcr(Services):
    """Amazon ECR below one folder, which it owns until it is closed.

    `on_event(account, region, event)` gets every EventBridge event after the change that caused it is committed, on
    the thread that made the change: it should only take note. `trail` says whether CloudTrail records are among them.

    `principal_of(credential)` says who calls, `identities(principal)` which identity policies a user or a role has, as
    they are at this moment, or None when it is gone; an account's root may everything in it and is not asked about.
    With that and with the repository's policy every request of both faces is decided, and `decisions` and
    `on_decision(decision)` tell of it. `organization_id` is aws:PrincipalOrgID of every caller. Nobody scans:
    `record_scan` says what was found.
    """

    @cached_property
    def app(self) -> ASGIApp:
        """Serves the JSON API and the /v2/ API; `LocalEcrServer` listens for it."""
        return EcrApp(self)
