"""ECR without the rest of the house: both faces, events, decisions and a clock. No moto, no template, no function."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Receive, Scope, Send

from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.control.answers import app_of
from ecr_steward_sandbox.control.ecr import EcrControl
from ecr_steward_sandbox.control_token import ControlToken
from ecr_steward_sandbox.delivery.ledger import BusEvent, Entry, Ledger
from local_ecr import LocalEcr, LocalEcrServer
from local_ecr.options import StartOptions

ACCOUNTS = ("111122223333",)
REGIONS = ("us-east-1", "eu-west-1")


class EcrOnly:
    """Context manager. A registry for each account in each region; everything is below one folder and ends with it."""

    local_ecr: LocalEcr
    control_token: ControlToken

    def __init__(
        self,
        options: StartOptions | None = None,
        *,
        accounts: Sequence[str] = ACCOUNTS,
        regions: Sequence[str] = REGIONS,
        listener: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        """The folder that `options` name is kept, a temporary one is not. `listener` hears of every event, and returns
        at once.
        """
        self._options = options or StartOptions()
        self.accounts = tuple(accounts)
        self.account = self.accounts[0]
        self.regions = tuple(regions)
        self.ledger = Ledger(listener)
        self.clock = SandboxClock()
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        of_ecr = self._options.of_ecr()
        with contextlib.ExitStack() as stack:
            folder = self._options.data
            if folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecr-steward-ecr-")))
            stack.enter_context(self.clock)
            self.local_ecr = LocalEcr(folder, on_event=self._note, **of_ecr)
            stack.callback(self.local_ecr.close)
            self.control_token = ControlToken.write(folder)
            stack.callback(self.control_token.file.unlink, missing_ok=True)
            self._server = LocalEcrServer(
                self.local_ecr,
                [(account, region) for account in self.accounts for region in self.regions],
                app=_WithControl(self.local_ecr.app, app_of(EcrControl(self).routes(), self.control_token)),
                **self._options.of_server(folder),
            )
            stack.enter_context(self._server)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def endpoint_url(self) -> str:
        """Value of AWS_ENDPOINT_URL_ECR for clients."""
        return self._server.endpoint_url

    @property
    def proxy_url(self) -> str:
        """Value of HTTP_PROXY, and with TLS of HTTPS_PROXY, for clients that call ECR by its names at AWS."""
        return self._server.proxy_url

    @property
    def ca_file(self) -> Path | None:
        """What clients are to trust; None without TLS."""
        return self._server.ca_file and self._server.ca_file.resolve()

    def registry_url(self, region: str, account: str | None = None) -> str:
        """Where the /v2/ face of a registry is, by default of the first account."""
        return self._server.registry_url(account or self.account, region)

    def move_clock(self, by: timedelta) -> None:
        """Let so much time pass at once; what came due meanwhile happens now. Raises ClockError."""
        self.clock.move(by)
        self.local_ecr.run_due()

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when no image is on its way to a replica. Raises TimeoutError that says what is."""
        self.local_ecr.wait_until_idle(timeout)

    def _note(self, account: str, region: str, event: dict[str, Any]) -> None:
        self.ledger.record(BusEvent(f"arn:aws:events:{region}:{account}:event-bus/default", event))


class _WithControl:
    """The control API below /_sandbox, ECR everywhere else."""

    def __init__(self, ecr: ASGIApp, control: ASGIApp) -> None:
        self._ecr = ecr
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        is_control = path == "/_sandbox" or path.startswith("/_sandbox/")
        await (self._control if is_control else self._ecr)(scope, receive, send)
