"""`ecr-steward sandbox up --ecr-only`: ECR alone in the foreground, for a person with a second terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.delivery.ledger import BusEvent, Entry
from ecr_steward_sandbox.ecr_only import ACCOUNTS, REGIONS, EcrOnly
from ecr_steward_sandbox.told import event_line, say
from local_ecr import Ending, InvalidNameError, Registry
from local_ecr.options import LIST, WRONG_USE, StartError, StartOptions, quirks_table, starting


def up(
    given: Mapping[str, Any], *, accounts: Sequence[str] | None = None, regions: Sequence[str] | None = None
) -> None:
    """Run until Ctrl-C or SIGTERM, with options as StartOptions has them. Call it on the main thread.

    Exits with one line where it cannot start.
    """
    options = StartOptions(**given)
    if options.quirks == LIST:
        sys.stdout.write(quirks_table())
        return
    try:
        _run(options, _checked("account", accounts or ACCOUNTS), _checked("region", regions or REGIONS))
    except StartError as error:
        raise SystemExit(f"ecr-steward sandbox up: {error}") from error


def _checked(option: str, given: Sequence[str]) -> list[str]:
    """Each of them once. Raises StartError."""
    for value in given:
        try:
            Registry.parse(**{"account": ACCOUNTS[0], "region": REGIONS[0], option: value})
        except InvalidNameError as cause:
            raise StartError(f"--{option} {value}: {cause}", WRONG_USE) from cause
    return list(dict.fromkeys(given))


def _run(options: StartOptions, accounts: Sequence[str], regions: Sequence[str]) -> None:
    with Ending() as ending, ExitStack() as stack:
        with starting():
            ecr = EcrOnly(options, accounts=accounts, regions=regions, listener=_tell)
            stack.enter_context(ecr)
        if options.warning:
            sys.stderr.write(f"{options.warning}\n")
        say(_welcome(ecr))
        ending.wait()
        say("Ending ...")


def _welcome(ecr: EcrOnly) -> str:
    region = ecr.regions[0]
    registry = ecr.registry_url(region).partition("://")[2]
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
  export PATH={Path(sys.executable).parent}:$PATH   # ecr-steward
{_trust(ecr)}  ecr-steward sandbox seed LAYOUT team-a/api:1.0.0   # an OCI layout folder
  ecr-steward sandbox events --follow

  aws ecr create-repository --repository-name team-a/web
  aws ecr get-login-password | docker login --username AWS --password-stdin {registry}
  docker tag IMAGE {registry}/team-a/web:1.0.0 && docker push {registry}/team-a/web:1.0.0

Other registries (an account's id is the access key of its root):{others or " none"}

What happens from now on:"""


def _trust(ecr: EcrOnly) -> str:
    """What makes clients of that terminal believe the certificate; docker's engine is none of them."""
    if ecr.ca_file is None:
        return ""
    return f"""\
  export AWS_CA_BUNDLE={ecr.ca_file} SSL_CERT_FILE={ecr.ca_file}
  export HTTPS_PROXY={ecr.proxy_url}   # for ECR by its names at AWS, and for nothing else
"""


def _tell(entry: Entry) -> None:
    if isinstance(entry, BusEvent):
        say(event_line(entry.event))
