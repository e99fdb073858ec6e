"""`python -m local_ecr`: run it alone, in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import json
import logging
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_ecr.access.log import AccessDecision, tell_nobody
from local_ecr.ecr import LocalEcr
from local_ecr.ending import Ending
from local_ecr.names import InvalidNameError, Registry
from local_ecr.quirks import Quirks
from local_ecr.server import LocalEcrServer
from local_ecr.state.store import FolderInUseError
from local_ecr.strict_json import read_json


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if options.quirks is None:
        sys.stdout.write(_quirks_table())
        return 0
    quirks = options.quirks
    try:
        access = _access(options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"--identities {options.identities}: {error}\n")
        return 2
    with Ending() as ending:
        if options.data is not None:
            return _serve(options.data, options, quirks, access, ending)
        with tempfile.TemporaryDirectory(prefix="local-ecr-") as folder:
            return _serve(Path(folder), options, quirks, access, ending)


def _access(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of LocalEcr that say who there is and who may what. Raises OSError, or ValueError with what to do."""
    chosen: dict[str, Any] = {"authorize": options.access == "on"}
    if options.identities is not None:
        from local_ecr.access.identities import read_identities  # noqa: PLC0415  pydantic is slow to load

        text = options.identities.read_bytes()
        json.loads(text)  # says where, if it is no JSON
        chosen |= read_identities(read_json(text)).options
    return chosen


def _serve(data: Path, options: argparse.Namespace, quirks: Quirks, access: dict[str, Any], ending: Ending) -> int:
    try:
        ecr = LocalEcr(data, quirks=quirks, on_decision=_show if options.decisions else tell_nobody, **access)
    except FolderInUseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{data} cannot keep the state: {error}\n")
        return 1
    registries = options.registry or [Registry("111122223333", "us-east-1")]
    with LocalEcrServer(
        ecr,
        [(registry.account, registry.region) for registry in registries],
        port=options.port,
        registry_port=options.port + 1 if options.port else 0,
    ) as server:
        sys.stdout.write(f"ready endpoint {server.endpoint_url}\n")
        for registry in registries:
            url = server.registry_url(registry.account, registry.region)
            sys.stdout.write(f"ready registry {registry.account}/{registry.region} {url}\n")
        sys.stdout.flush()
        ending.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_ecr", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=0, help="port of the API; registries get the ones behind it (0: any)"
    )
    parser.add_argument("--data", type=Path, help="folder that keeps the state (default: a temporary one)")
    parser.add_argument("--registry", type=_registry, action="append", metavar="ACCOUNT/REGION")
    parser.add_argument(
        "--identities", type=Path, metavar="FILE", help="users, roles and service callers (default: every key a root)"
    )
    parser.add_argument(
        "--access", choices=["on", "off"], default="on", help="off: whoever is known may everything, tokens optional"
    )
    parser.add_argument("--decisions", action="store_true", help="show who was allowed what, and why not")
    parser.add_argument(
        "--quirks",
        type=_quirks,
        default=Quirks(),
        metavar="TEXT",
        help="ecr (default); none: a plain OCI registry; either with names to add or take away, as in "
        "ecr,-blob_redirect; list: print what there are",
    )
    return parser


def _quirks(text: str) -> Quirks | None:
    """None when they are to be listed."""
    try:
        return None if text == "list" else Quirks.parse(text)
    except ValueError as cause:
        raise argparse.ArgumentTypeError(str(cause)) from cause


def _quirks_table() -> str:
    return "".join(f"{name}\n    {what}\n    {source}\n" for name, what, source in Quirks.table())


def _show(decision: AccessDecision) -> None:
    sys.stderr.write(f"{decision}\n")


def _registry(text: str) -> Registry:
    account, _, region = text.partition("/")
    try:
        return Registry.parse(account, region)
    except InvalidNameError as cause:
        raise argparse.ArgumentTypeError(str(cause)) from cause


if __name__ == "__main__":
    sys.exit(main())
