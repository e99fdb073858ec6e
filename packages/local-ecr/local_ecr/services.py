"""All registries of all accounts and regions: their state, their signatures, and what was asked of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from local_ecr.access.gate import Gate, Identities, no_policies
from local_ecr.background import Background
from local_ecr.events import as_image_action
from local_ecr.faults import Faults
from local_ecr.iam import AccessDecision, DecisionLog, tell_nobody
from local_ecr.names import Registry
from local_ecr.principals import Credential, Principal, account_principal
from local_ecr.quirks import Quirks
from local_ecr.quotas.rates import Quotas
from local_ecr.quotas.throttle import Throttle
from local_ecr.requests import RequestLog
from local_ecr.state.store import Store, best_effort
from local_ecr.tokens import Signer
from local_ecr.uploads import Uploads


def utc_now() -> datetime:
    return datetime.now(UTC)


def no_secret(access_key_id: str) -> str | None:
    """No secret access key is known: every signature counts."""
    return None


def ignore(account: str, region: str, event: dict[str, Any]) -> None:
    """A receiver of events that wants none."""


class Services:
    """What both faces of ECR work with; `LocalEcr` adds the faces."""

    def __init__(
        self,
        data: str | PathLike[str],
        *,
        clock: Callable[[], datetime] = utc_now,
        on_event: Callable[[str, str, dict[str, Any]], None] = ignore,
        principal_of: Callable[[Credential], Principal] = account_principal,
        secret_of: Callable[[str], str | None] = no_secret,
        identities: Identities = no_policies,
        authorize: bool = True,
        organization_id: str | None = None,
        on_decision: Callable[[AccessDecision], None] = tell_nobody,
        public_host: str = "127.0.0.1",
        quirks: Quirks | None = None,
        quotas: Quotas | None = None,
        scans_end_after: timedelta | None = None,
    ) -> None:
        if scans_end_after is not None and scans_end_after < timedelta():
            raise ValueError(f"scans_end_after is not negative: {scans_end_after}")
        self.clock = clock
        self.principal_of = principal_of
        self.secret_of = secret_of
        self.public_host = public_host
        self.quirks = quirks or Quirks()
        self.quotas = quotas
        self.throttle = Throttle(quotas, clock)
        self.scans_end_after = scans_end_after
        self.trail = on_event is not ignore  # to make records that nobody receives is a tenth of a push's work
        self.trail_reads = False
        self.calls_nobody = (
            on_event is ignore
            and on_decision is tell_nobody
            and principal_of is account_principal
            and secret_of is no_secret
            and identities is no_policies
        )
        """Whether no request makes us call what whoever made this gave."""
        self.requests = RequestLog()
        self.decisions = DecisionLog(listener=on_decision)
        self.registries_ports: dict[tuple[str, str], int] = {}
        self.layers_port: int | None = None
        """The port of the origin that serves layers; None where the registry's own serves them."""
        self.scheme = "http"
        """How those ports are spoken to."""
        self.faults = Faults(best_effort(on_event), clock)
        self.store = Store(Path(data), self._announce)
        self.gate = Gate(self.store, clock, identities, self.decisions, organization_id, authorize=authorize)
        self.signer = Signer(self.store.signing_key(), clock)
        self.uploads = Uploads(self.store, clock, self.quirks)
        self.background = Background(clock)
        self._plan_work()
        self.store.on_work = self.background.wake
        self.background.start()

    def registry_host(self, registry: Registry, *, is_by_aws_name: bool = False) -> str:
        """Where the /v2/ face of a registry is.

        Its name at AWS when no port serves it here, or for whoever came by such a name.
        """
        port = self.registries_ports.get((registry.account, registry.region))
        return registry.aws_host if port is None or is_by_aws_name else f"{self.public_host}:{port}"

    def registry_url(self, registry: Registry, *, is_by_aws_name: bool = False) -> str:
        host = self.registry_host(registry, is_by_aws_name=is_by_aws_name)
        return f"https://{host}" if host == registry.aws_host else f"{self.scheme}://{host}"

    def registry_at(self, port: int) -> Registry | None:
        """The registry that a port was opened for."""
        for (account, region), known in list(self.registries_ports.items()):
            if known == port:
                return Registry(account, region)
        return None

    def _announce(self, account: str, region: str, event: dict[str, Any]) -> None:
        """What the store has to tell, on its way to whoever receives events."""
        self.faults.send(account, region, event if self.quirks.referrer_action else as_image_action(event))

    def _plan_work(self) -> None:
        """Say what `background` is to do; it has not begun yet."""

    def close(self) -> None:
        """Raises TimeoutError when what the background is doing does not end; the folder is free even then."""
        try:
            self.background.close()
        finally:
            self.store.close()
