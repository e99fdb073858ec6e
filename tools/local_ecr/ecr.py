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

    `principal_of(credential)` says who calls; `identities(principal)` what IAM holds of a user or a role at this moment
    (an `Identity`, or its policies alone), or None when it is gone; an account's root may everything in it and is not
    asked about. `local_ecr.access.identities.read_identities(document).options` has both for a document. With that and
    with the policies of repository and registry every request of both faces is decided; `decisions` and
    `on_decision(decision)` tell of it, `decisions.why(request_id)` at length. `authorize=False` lets everybody do
    everything, without a token below /v2/. `organization_id` is aws:PrincipalOrgID of every caller. Nobody scans:
    `record_scan` says what was found.
    """

    @cached_property
    def app(self) -> ASGIApp:
        """Serves the JSON API and the /v2/ API; `LocalEcrServer` listens for it."""
        return EcrApp(self)
