"""`Sandbox`: our own built template, deployed and running on this machine."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ecr_steward_sandbox.access import Access
from ecr_steward_sandbox.account_quotas import AccountQuotas
from ecr_steward_sandbox.accounts import SECRET_KEY, SPOKE_TEMPLATE, Clients, deploy_hub, deploy_spoke
from ecr_steward_sandbox.aws_api import AwsApi
from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.control.answers import app_of
from ecr_steward_sandbox.control.whole import SandboxControl
from ecr_steward_sandbox.control_token import ControlToken
from ecr_steward_sandbox.delivery.deployed import read_wiring
from ecr_steward_sandbox.delivery.engine import ClockMoved, DeliveryEngine
from ecr_steward_sandbox.delivery.ledger import BusEvent, Delivery, Entry, Invocation, Ledger
from ecr_steward_sandbox.delivery.queues import DEFAULT_REDELIVERY_SECONDS, LONGEST_WINDOW_SECONDS
from ecr_steward_sandbox.delivery.refused import check_roles
from ecr_steward_sandbox.deploy import Deployment, reset_moto
from ecr_steward_sandbox.deploy.services.ecr import PullTimeUpdateExclusion
from ecr_steward_sandbox.identity.principals import Principals
from ecr_steward_sandbox.identity.sessions import Sessions
from ecr_steward_sandbox.identity.sts import LONGEST_LIFETIME, Sts
from ecr_steward_sandbox.moto_gateway import MotoGateway
from ecr_steward_sandbox.recursion import RecursionConfigs
from ecr_steward_sandbox.redeployment import Redeployment
from ecr_steward_sandbox.rights_log import rights_log
from ecr_steward_sandbox.server import SandboxApp, is_endpoint
from ecr_steward_sandbox.workers.factory import WorkerFactory
from local_ecr import AccessDecision, LocalEcr, LocalEcrServer, Quotas, RequestLog
from local_ecr.iam import tell_nobody

__all__ = ["SECRET_KEY", "Sandbox", "SandboxInUseError"]

_IN_USE = threading.Lock()  # moto's state is the process's: two sandboxes in one process would share it


class SandboxInUseError(RuntimeError):
    """This process runs a sandbox already."""


class Sandbox:
    """Context manager. Everything is below `data` (a temporary folder by default) and ends with it."""

    local_ecr: LocalEcr
    deployment: Deployment  # the hub's
    deployments: Mapping[str, Deployment]  # by account, the hub's first
    control_token: ControlToken  # what changes something below /_sandbox sends
    requests: RequestLog  # API calls over HTTP to services other than ECR
    engine: DeliveryEngine

    def __init__(
        self,
        build: Path,
        *,
        data: Path | None = None,
        host: str = "127.0.0.1",
        public_host: str | None = None,
        port: int = 0,
        registry_port: int = 0,
        account: str = "111122223333",
        regions: Sequence[str] = ("us-east-1", "eu-west-1"),
        spokes: Sequence[str] = (),
        spoke_template: Path = SPOKE_TEMPLATE,
        parameters: Mapping[str, str] | None = None,
        listener: Callable[[Entry], None] = lambda _: None,
        redelivery_seconds: float | None = DEFAULT_REDELIVERY_SECONDS,
        longest_window_seconds: float = LONGEST_WINDOW_SECONDS,
        organizations: Mapping[str, str] | None = None,
        ecr_quotas: Quotas | None = None,
    ) -> None:
        """Deploy `build`, what `sam build` wrote, into the first region; the other regions have a registry only.

        `spokes` are further accounts, with a registry in each region: `spoke_template` is deployed into the first
        region of each, with what the stack of `account`, the hub, says about itself.
        `public_host` is how clients reach `host`, where that is not the same. A port of 0 takes a free one.
        `parameters` are the templates'. `listener` hears of every event, delivery and invocation; it returns at once.
        A message that a function failed on is received again after `redelivery_seconds`, whatever its queue and the
        function say. None leaves it to them, in the sandbox's time: `wait_until_idle` does not wait for such a message,
        and `move_clock` brings it back. A batch is collected for at most `longest_window_seconds`, whatever its mapping
        says. `organizations` has the organization's id of each account that is in one, and may change while it runs.
        ECR answers as much as `ecr_quotas` allow, by default anything.
        """
        self.organizations = dict(organizations or {})
        self._build = build
        self._data = data
        self._host = host
        self._public_host = public_host or ("127.0.0.1" if host == "0.0.0.0" else host)  # noqa: S104 compared, not bound
        self._port = port
        self._registry_port = registry_port
        self.account = account
        self.regions = tuple(regions)
        self._parameters = dict(parameters or {})
        self._listener = listener
        self._redelivery_seconds = redelivery_seconds
        self._longest_window_seconds = longest_window_seconds
        self._ecr_quotas = ecr_quotas
        self.clock = SandboxClock()
        self.quotas = AccountQuotas()
        self._spokes = tuple(spokes)
        self._spoke_template = spoke_template
        self._clients = Clients(lambda: self.endpoint_url)
        self._exit = contextlib.ExitStack()

    # ---------------------------------------------------------------- life

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        if not _IN_USE.acquire(blocking=False):
            raise SandboxInUseError("one process runs one sandbox at a time: moto keeps its state in the process")
        stack.callback(_IN_USE.release)
        if self._data is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecr-steward-sandbox-")))
        else:
            folder = self._data
            folder.mkdir(parents=True, exist_ok=True)
        self.control_token = ControlToken.write(folder)
        stack.callback(self.control_token.file.unlink, missing_ok=True)
        stack.enter_context(self.clock)
        # moto logs every request of boto3's old retry handler and the like; its warnings are not ours.
        logging.getLogger("moto").setLevel(logging.ERROR)
        reset_moto()
        stack.callback(reset_moto)
        self.deployment = hub = deploy_hub(
            self._build, self.account, self.regions[0], spokes=self._spokes, parameters=self._parameters
        )
        spokes = {one: deploy_spoke(self._spoke_template, one, hub, self._parameters) for one in self._spokes}
        self.deployments = {self.account: hub, **spokes}
        self._sessions = Sessions()
        principals = Principals(self._sessions)
        workers = WorkerFactory(
            folder / "workers",
            credentials=lambda config: self.credentials_of(config.role_arn, config.name),
            endpoint_url=self._worker_endpoint,
            clock=self.clock,
        )
        wiring = replace(read_wiring(*self.deployments.values()), organizations=self.organizations)
        rights = rights_log(list(self.deployments.values()))
        if rights is not None:
            wiring = replace(wiring, on_judgement=rights.delivered)
        check_roles(wiring)
        self.engine = DeliveryEngine(
            wiring,
            workers.pool_of,
            ledger=Ledger(self._listener),
            redelivery_seconds=self._redelivery_seconds,
            longest_window_seconds=self._longest_window_seconds,
            elsewhere=self._at_work_in_ecr,
        )
        stack.callback(self.engine.close)
        self.local_ecr = LocalEcr(
            folder / "ecr",
            on_event=self.deliver,
            principal_of=principals.of_ecr_call,
            secret_of=principals.secret_of,
            identities=self._sessions.identity_of,
            on_decision=tell_nobody if rights is None else rights.heard,
            public_host=self._public_host,
            quotas=self._ecr_quotas,
        )
        stack.callback(self.local_ecr.close)
        self.requests = RequestLog()
        access = Access(
            lambda: self.engine.wiring,
            self._sessions.identity_of,
            self.local_ecr.decisions,
            lambda: self.clock.now,
        )
        gateway = MotoGateway()
        api = AwsApi(
            engine=self.engine,
            gateway=gateway,
            principals=principals,
            access=access,
            sts=Sts(self._sessions, access.refusal),
            redeployment=Redeployment(self.engine, list(self.deployments.values()), folder / "redeployed"),
            requests=self.requests,
            region=self.regions[0],
            quotas=self.quotas,
            recursion=RecursionConfigs(self.deployments.values()),
        )
        self._server = LocalEcrServer(
            self.local_ecr,
            [(account, region) for account in self.deployments for region in self.regions],
            app=SandboxApp(self.local_ecr, api, app_of(SandboxControl(self).routes(), self.control_token)),
            serves=is_endpoint,
            host=self._host,
            port=self._port,
            registry_port=self._registry_port,
        )
        stack.enter_context(self._server)
        stack.callback(self._clients.close)
        stack.callback(gateway.close)
        for account, deployment in self.deployments.items():
            for excluded in deployment.of_type(PullTimeUpdateExclusion.TYPE):
                ecr = self.client("ecr", deployment.region, account)
                ecr.register_pull_time_update_exclusion(principalArn=excluded.physical_id)

    # ---------------------------------------------------------------- addresses

    @property
    def endpoint_url(self) -> str:
        """Value of AWS_ENDPOINT_URL for clients."""
        return self._server.endpoint_url

    def registry_url(self, region: str, account: str | None = None) -> str:
        """Where the /v2/ face of a registry is, by default of the hub's."""
        return self._server.registry_url(account or self.account, region)

    def client(self, service: str, region: str | None = None, account: str | None = None) -> Any:
        """A boto3 client of an account's root, by default the hub's, without retries; closed with the sandbox."""
        return self._clients.of(account or self.account, service, region or self.regions[0])

    def credentials_of(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Environment variables of a session of a role, as Lambda makes one for a function. Nobody is asked."""
        return self._sessions.begin(role_arn, session_name, LONGEST_LIFETIME).variables

    # ---------------------------------------------------------------- what happens

    def deliver(self, account: str, region: str, event: Mapping[str, Any]) -> None:
        """Put an event on the account's default bus, as an AWS service does."""
        try:
            self.engine.put_from_service(account, region, event)
        except Exception as error:  # the registry has stored the image and goes on; every later wait tells of this
            self.engine.activity.crashed(error)
            raise

    def tick(self, schedule: str) -> None:
        """Fire a schedule, given by logical id or name, now. Raises LookupError or ScheduleDisabledError."""
        self.engine.tick(schedule)

    def move_clock(self, by: timedelta, timeout: float = 30) -> ClockMoved:
        """Let so much time pass at once, as if this machine had slept; see ``DeliveryEngine.move_clock``.

        What ECR does by the clock, such as lifecycle policies, is done when this returns.
        """
        moved = self.engine.move_clock(self.clock, by, timeout)
        self.local_ecr.run_due()
        return moved

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when no event, message, invocation or copy is under way. Raises TimeoutError that says what is."""
        self.engine.wait_until_idle(timeout)

    # ---------------------------------------------------------------- what happened

    @property
    def ledger(self) -> Ledger:
        """Everything that happened."""
        return self.engine.ledger

    @property
    def invocations(self) -> list[Invocation]:
        """Every run of a function that has ended, oldest first; a retry is one of its own."""
        return self.engine.ledger.invocations

    @property
    def events(self) -> list[BusEvent]:
        """Every event on every bus, oldest first."""
        return self.engine.ledger.events

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery that has ended, oldest first."""
        return self.engine.ledger.deliveries

    @property
    def lost(self) -> list[Delivery]:
        """Deliveries that ended in no queue that a person could read."""
        return self.engine.ledger.lost

    @property
    def decisions(self) -> list[AccessDecision]:
        """Who was allowed what, or refused it, by which statement: of every service, oldest first."""
        return self.local_ecr.decisions.entries()

    # ---------------------------------------------------------------- within

    def _at_work_in_ecr(self) -> list[str]:
        return [] if self.local_ecr.background.is_idle else ["work of ECR in the background"]

    def _worker_endpoint(self) -> str:
        port = self._server.endpoint_url.rsplit(":", 1)[1]
        return f"http://{'127.0.0.1' if self._host == '0.0.0.0' else self._host}:{port}"  # noqa: S104 compared, not bound
