"""`ecr-steward sandbox up --ecr-only`: ECR alone in the foreground, for a person with a second terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local_ecr import Ending
from local_ecr.state.store import FolderInUseError
from sandbox.delivery.ledger import BusEvent, Entry
from sandbox.ecr_only import EcrOnly
from sandbox.told import event_line, say


def up(
    *, port: int, data: Path | None, accounts: Sequence[str], regions: Sequence[str], ecr_options: Mapping[str, Any]
) -> None:
    """Run until Ctrl-C or SIGTERM. Call it on the main thread. Exits with one line where it cannot start."""
    try:
        with (
            Ending() as ending,
            EcrOnly(
                port=port, data=data, accounts=accounts, regions=regions, listener=_tell, ecr_options=ecr_options
            ) as ecr,
        ):
            say(_welcome(ecr))
            ending.wait()
            say("Ending ...")
    except (FolderInUseError, OSError, ValueError) as error:
        raise SystemExit(f"ecr-steward sandbox up: {error}") from error


def _welcome(ecr: EcrOnly) -> str:
    region = ecr.regions[0]
    registry = ecr.registry_url(region).removeprefix("http://")
    others = "".join(
        f"\n  {account} {other}: {ecr.registry_url(other, account)}"
        for account in ecr.accounts
        for other in ecr.regions
        if (account, other) != (ecr.account, region)
    )
    return f"""\
ECR ready at {ecr.endpoint_url} (Ctrl-C ends it). In another terminal:

  export AWS_ENDPOINT_URL={ecr.endpoint_url} AWS_REGION={region} AWS_DEFAULT_REGION={region}
  export AWS_ACCESS_KEY_ID={ecr.account} AWS_SECRET_ACCESS_KEY=any
  ecr-steward sandbox seed LAYOUT team-a/api:1.0.0   # an OCI layout folder
  ecr-steward sandbox events --follow

  aws ecr create-repository --repository-name team-a/web
  aws ecr get-login-password | docker login --username AWS --password-stdin {registry}
  docker tag IMAGE {registry}/team-a/web:1.0.0 && docker push {registry}/team-a/web:1.0.0

Other registries (an account's id is the access key of its root):{others or " none"}

What happens from now on:"""


def _tell(entry: Entry) -> None:
    if isinstance(entry, BusEvent):
        say(event_line(entry.event))
