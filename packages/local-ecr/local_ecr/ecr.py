"""`LocalEcr`: Amazon ECR in one object, with both of its faces as one ASGI app."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from starlette.types import ASGIApp

from local_ecr.app import EcrApp
from local_ecr.housekeeping import Housekeeping
from local_ecr.images.storage_class import Restores
from local_ecr.lifecycle.run import LOOK_AGAIN, run_lifecycle
from local_ecr.names import Registry, parse_digest
from local_ecr.replication.backfilling import Backfiller
from local_ecr.replication.worker import Replicator
from local_ecr.scans.ending import ScansEnd
from local_ecr.scans.record import record_scan
from local_ecr.scans.report import read_report
from local_ecr.seeding.fill import fill
from local_ecr.seeding.seeded_images import SeededImages
from local_ecr.services import Services
from local_ecr.state import repositories
from local_ecr.templates.creation import REPLICATION
from local_ecr.templates.telling import tell_creation

EACH_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class RecordedScan:
    """What a scanner says about one image; `document` as `local_ecr.scans.report.read_report` reads it."""

    registry: Registry
    repository_name: str
    digest: str
    document: Any


class LocalEcr(Services):
    """Amazon ECR below one folder, which it owns until it is closed.

    `on_event(account, region, event)` gets every EventBridge event after the change that caused it is committed, on
    the thread that made the change: it should only take note. `trail` says whether CloudTrail records are among them.

    `principal_of(credential)` says who calls, `secret_of(access_key_id)` the secret that a call of the API must then be
    signed with, or None where any will do; `identities(principal)` what IAM holds of a user or a role at this moment
    (an `Identity`, or its policies alone), or None when it is gone; an account's root may everything in it and is not
    asked about. `local_ecr.read_identities(document).options` has both for a document. With that and
    with the policies of repository and registry every request of both faces is decided; `decisions` and
    `on_decision(decision)` tell of it, `decisions.why(request_id)` at length. `authorize=False` lets everybody do
    everything, without a token below /v2/. `organization_id` is aws:PrincipalOrgID of every caller. There is no
    scanner: `record_scan` says what was found, and with `scans_end_after` a scan without a report ends after that time
    of the clock, without findings. With `quotas` requests are throttled, by the clock.
    """

    @cached_property
    def app(self) -> ASGIApp:
        """Serves the JSON API and the /v2/ API; `LocalEcrServer` listens for it."""
        return EcrApp(self)

    def record_scan(self, registry: Registry, repository_name: str, digest: str, document: Any) -> None:
        """As `record_scans`, for one."""
        self.record_scans([RecordedScan(registry, repository_name, digest, document)])

    def record_scans(self, recorded: Sequence[RecordedScan]) -> None:
        """Keep what a scanner says, all of it or nothing, and tell of it as AWS does.

        Raises EcrError: InvalidParameterException, RepositoryNotFoundException, ImageNotFoundException, or
        UnsupportedImageTypeException for an index. Raises InvalidNameError for what is no digest.
        """
        reports = [(one, parse_digest(one.digest), read_report(one.document)) for one in recorded]
        with self.store.changing() as change:
            for one, digest, report in reports:
                repository = repositories.get(change.connection, one.registry, one.repository_name)
                record_scan(change, repository, digest, report, self.clock())

    def seed(self, registry: Registry, repository_names: Iterable[str], images: SeededImages | None = None) -> None:
        """Create repositories, each with these images, straight in the store: 100,000 of either in seconds.

        Every answer is as if they were pushed at their times into repositories with the default settings, but no event
        is sent, no image is replicated and no request is counted. Repositories, images and image tags that exist
        stay as they are, so the same call continues a seeding that was interrupted.

        Raises ValueError for an invalid name, and EcrError LimitExceededException where a repository would have more
        than 100,000 images.
        """
        fill(self.store, registry, repository_names, images or SeededImages(), self.clock())

    def run_due(self) -> None:
        """Return when every job that is due by the clock has run; for whoever moves the clock."""
        self.background.run_due()

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when everything is copied that is to be copied, and no job runs. Raises TimeoutError."""
        self.background.wait_until_idle(timeout)

    def _plan_work(self) -> None:
        backfiller = Backfiller(self.store, self.clock)
        replicator = Replicator(self.store, self.clock, self.gate, self._tell_of_replica)
        self.background.work(lambda: backfiller.step() or replicator.step())  # a backfill is stopped between two copies
        self.background.work(Restores(self.store, self.clock))
        self.background.every(EACH_SECOND, self.faults.release_due)
        self.background.every(EACH_SECOND, Housekeeping(self.store))
        if self.scans_end_after is not None:
            self.background.every(EACH_SECOND, ScansEnd(self.store, self.scans_end_after))
        self.background.every(LOOK_AGAIN, lambda now: run_lifecycle(self.store, now, tells_trail=self.trail))

    def _tell_of_replica(self, registry: Registry, repository_name: str) -> None:
        """Tell the trail of a repository that was made for a copy."""
        tell_creation(self, registry, repository_name, REPLICATION)
