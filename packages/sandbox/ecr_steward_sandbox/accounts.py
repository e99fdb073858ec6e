"""The accounts of a sandbox: the hub with our template, the others with spoke.yaml, and a client for each."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.config import Config

from ecr_steward_sandbox.assembly import STACK
from ecr_steward_sandbox.deploy import Deployment, deploy
from ecr_steward_sandbox.deploy.in_process import session
from ecr_steward_sandbox.deploy.translate import read_template

SPOKE_ACCOUNT = "222233334444"
"""The second account of the sandbox that people start."""

HUB_STACK = "ecr-steward"
SPOKE_STACK = "ecr-steward-spoke"
SPOKE_TEMPLATE = STACK / "spoke.yaml"
EXTERNAL_ID = "ecr-steward-sandbox"
SECRET_KEY = "sandbox"  # noqa: S105 the sandbox verifies no signature; any secret will do


def deploy_hub(
    build: Path, account: str, region: str, *, spokes: Sequence[str], parameters: Mapping[str, str]
) -> Deployment:
    """Deploy what `sam build` wrote. Each account of `spokes` becomes one that the template connects."""
    # The template's Architecture is this machine's, whatever its default: the sandbox runs the artefacts here.
    own = {"Architecture": "arm64" if platform.machine() == "aarch64" else "x86_64"}
    given = {name: value for name, value in own.items() if name in _declared(build / "template.yaml")}
    if spokes:
        given |= {"SpokeAccounts": ",".join(spokes), "ExternalId": EXTERNAL_ID}
    given |= parameters
    return deploy(build, stack_name=HUB_STACK, account=account, region=region, parameters=given)


def deploy_spoke(template: Path, account: str, hub: Deployment, parameters: Mapping[str, str]) -> Deployment:
    """Deploy spoke.yaml as a person does: a parameter that an output of the hub's stack is named like has its value,
    and one that the hub's template has too has the same value in both.
    """
    declared = _declared(template)
    shared = {**hub.outputs, "ExternalId": EXTERNAL_ID, **parameters}
    given = {name: value for name, value in shared.items() if name in declared}
    return deploy(template, stack_name=SPOKE_STACK, account=account, region=hub.region, parameters=given)


def connects_accounts(build: Path) -> bool:
    """Whether the template can connect other accounts. Raises BuildError or TemplateError."""
    return "SpokeAccounts" in _declared(build / "template.yaml")


def _declared(template: Path) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = read_template(template).get("Parameters") or {}
    return parameters


class Clients:
    """boto3 clients of the roots of accounts, without retries; each is made once."""

    def __init__(self, endpoint_url: Callable[[], str]) -> None:
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], Any] = {}

    def of(self, account: str, service: str, region: str) -> Any:
        """A client of an account's root."""
        key = (account, service, region)
        with self._lock:
            if key not in self._made:
                boto: Any = session(region)
                self._made[key] = boto.client(
                    service,
                    endpoint_url=self._endpoint_url(),
                    aws_access_key_id=account,
                    aws_secret_access_key=SECRET_KEY,
                    config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, read_timeout=900),
                )
            return self._made[key]

    def close(self) -> None:
        """Close the connections of all."""
        with self._lock:
            for client in self._made.values():
                client.close()
