"""All registries of all accounts and regions: their state, their signatures, and what was asked of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from local_ecr.access.gate import Gate, Identities, no_policies
from local_ecr.access.log import AccessDecision, DecisionLog, tell_nobody
from local_ecr.background import Background
from local_ecr.events import as_image_action
from local_ecr.faults import Faults
from local_ecr.housekeeping import Housekeeping
from local_ecr.images.storage_class import Restores
from local_ecr.lifecycle.run import LOOK_AGAIN, run_lifecycle
from local_ecr.names import Digest, Registry, parse_digest
from local_ecr.principals import Credential, Principal, account_principal
from local_ecr.quirks import Quirks
from local_ecr.replication.worker import Replicator
from local_ecr.requests import RequestLog
from local_ecr.scans.record import record_scan
from local_ecr.scans.report import read_report
from local_ecr.state import repositories
from local_ecr.state.store import Store, best_effort
from local_ecr.templates.creation import REPLICATION
from local_ecr.tokens import Signer
from local_ecr.uploads import Uploads


def utc_now() -> datetime:
    return datetime.now(UTC)


def ignore(account: str, region: str, event: dict[str, Any]) -> None:
    """A receiver of events that wants none."""


@dataclass(frozen=True)
class RecordedScan:
    """What a scanner says about one image; `document` as `local_ecr.scans.report.read_report` reads it."""

    registry: Registry
    repository_name: str
    digest: str
    document: Any


class Services:
    """What both faces of ECR work with; `LocalEcr` adds the faces."""

    def __init__(
        self,
        data: str | PathLike[str],
        *,
        clock: Callable[[], datetime] = utc_now,
        on_event: Callable[[str, str, dict[str, Any]], None] = ignore,
        principal_of: Callable[[Credential], Principal] = account_principal,
        identities: Identities = no_policies,
        authorize: bool = True,
        organization_id: str | None = None,
        on_decision: Callable[[AccessDecision], None] = tell_nobody,
        public_host: str = "127.0.0.1",
        quirks: Quirks | None = None,
    ) -> None:
        self.clock = clock
        self.principal_of = principal_of
        self.public_host = public_host
        self.quirks = quirks or Quirks()
        self.trail = on_event is not ignore  # to make records that nobody receives is a tenth of a push's work
        self.trail_reads = False
        self.requests = RequestLog()
        self.decisions = DecisionLog(listener=on_decision)
        self.registries_ports: dict[tuple[str, str], int] = {}
        self.scheme = "http"
        """How those ports are spoken to."""
        self.faults = Faults(best_effort(on_event), clock)
        self.store = Store(Path(data), self._announce)
        self.gate = Gate(self.store, clock, identities, self.decisions, organization_id, authorize=authorize)
        self.signer = Signer(self.store.signing_key(), clock)
        self.uploads = Uploads(self.store, clock, self.quirks)
        self.background = Background(clock)
        self.background.work(Replicator(self.store, clock, self.gate, self._tell_of_replica).step)
        self.store.on_work = self.background.wake
        self.background.every(timedelta(seconds=1), self.faults.release_due)
        self.background.every(timedelta(seconds=1), Housekeeping(self.store))
        self.background.work(Restores(self.store, clock))
        self.background.every(LOOK_AGAIN, lambda now: run_lifecycle(self.store, now, tells_trail=self.trail))
        self.background.start()

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

    def registry_host(self, registry: Registry) -> str:
        """Where the /v2/ face of a registry is; its name at AWS when no port serves it here."""
        port = self.registries_ports.get((registry.account, registry.region))
        return registry.aws_host if port is None else f"{self.public_host}:{port}"

    def registry_url(self, registry: Registry) -> str:
        scheme = self.scheme if (registry.account, registry.region) in self.registries_ports else "https"
        return f"{scheme}://{self.registry_host(registry)}"

    def download_url(self, registry: Registry, digest: Digest) -> str:
        """A URL that serves one layer without Authorization for an hour."""
        return self.registry_url(registry) + self.download_path(registry, digest)

    def download_path(self, registry: Registry, digest: Digest) -> str:
        """The same without the host, for a redirect that works under whichever name the client came by."""
        return f"/v2/_signed/{self.signer.sign_download(registry, digest)}"

    def registry_at(self, port: int) -> Registry | None:
        """The registry that a port was opened for."""
        for (account, region), known in list(self.registries_ports.items()):
            if known == port:
                return Registry(account, region)
        return None

    def run_due(self) -> None:
        """Return when every job that is due by the clock has run; for whoever moves the clock."""
        self.background.run_due()

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when everything is copied that is to be copied, and no job runs. Raises TimeoutError."""
        self.background.wait_until_idle(timeout)

    def _announce(self, account: str, region: str, event: dict[str, Any]) -> None:
        """What the store has to tell, on its way to whoever receives events."""
        self.faults.send(account, region, event if self.quirks.referrer_action else as_image_action(event))

    def _tell_of_replica(self, registry: Registry, repository_name: str) -> None:
        """Tell the trail of a repository that was made for a copy."""
        from local_ecr.templates.telling import tell_creation  # noqa: PLC0415  a trail is told with what is made here

        tell_creation(self, registry, repository_name, REPLICATION)

    def close(self) -> None:
        self.background.close()
        self.store.close()
