"""The options of `sandbox up --ecr-only`. `python -m local_ecr` has the same, by the same words."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Access(StrEnum):
    """Whether it is decided who may what."""

    ON = "on"
    OFF = "off"


def _option(told: str, *names: str) -> Any:
    return typer.Option(*names, help=told, rich_help_panel="With --ecr-only", show_default=False)


Port = Annotated[
    int,
    typer.Option(
        min=0,
        max=65535,
        help="Of the API; those behind it are the registries', and with --tls the proxy's (default: any free ones).",
        show_default=False,
    ),
]
Accounts = Annotated[list[str] | None, _option("Once for each account (default: 111122223333).", "--account")]
Regions = Annotated[list[str] | None, _option("Once for each region (default: us-east-1 and eu-west-1).", "--region")]
Data = Annotated[Path | None, _option("Keep everything in this folder between runs (default: a temporary one).")]
Host = Annotated[
    str | None,
    _option("IP address to listen on (default: 127.0.0.1 and ::1, so that only this machine gets in)."),
]
PublicHost = Annotated[str | None, _option("What URLs call this machine (default: the address of --host).")]
Tls = Annotated[bool, _option("Speak TLS, by a certificate authority that is made and kept in the folder.", "--tls")]
Identities = Annotated[
    Path | None,
    _option("JSON file of users, roles and service callers (default: an account's id is the key of its root)."),
]
AccessOption = Annotated[
    Access | None,
    _option("With off, whoever is known may do everything, and tokens are optional (default: on).", "--access"),
]
Decisions = Annotated[bool, _option("Show who was allowed what, and why not.", "--decisions")]
ScansEndAfter = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=86400,
        metavar="SECONDS",
        help="End each scan without findings so long after it began, unless a result is recorded before (default: a "
        "scan is under way until a result is recorded).",
        rich_help_panel="With --ecr-only",
        show_default=False,
    ),
]
Quirks = Annotated[
    str | None,
    _option(
        "Where to leave the OCI specification: ecr (default), none, or either with names to add or take away, as "
        "in ecr,-blob_redirect; list prints them."
    ),
]
Quotas = Annotated[
    str | None,
    _option(
        "Throttle as AWS does: none (default), ecr for AWS's default quotas, or a factor for them, such as 0.1; with "
        "others behind it, as in ecr,PutImage=50."
    ),
]
