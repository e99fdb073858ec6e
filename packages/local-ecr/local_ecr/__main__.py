"""`local-ecr`, or `python -m local_ecr`: run it alone, in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from local_ecr.ecr import LocalEcr
from local_ecr.ending import Ending
from local_ecr.names import DEFAULT_REGISTRY, Registry
from local_ecr.options import LIST, StartError, StartOptions, quirks_table, starting
from local_ecr.ready import named, next_steps, ready_lines
from local_ecr.seeding import command as seeding
from local_ecr.server import LocalEcrServer
from local_ecr.written import read_registry, whole_number

LONGEST_SCAN = timedelta(days=1)


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["seed"]:
        return seeding.main(words[1:])
    given = vars(command_line().parse_args(words))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    registries = given.pop("registry") or [DEFAULT_REGISTRY]
    options = StartOptions(**given)
    if options.quirks == LIST:
        sys.stdout.write(quirks_table())
        return 0
    try:
        _serve(options, registries)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    return 0


def _serve(options: StartOptions, registries: Sequence[Registry]) -> None:
    of_ecr = options.of_ecr()
    if options.warning:
        sys.stderr.write(f"{options.warning}\n")
    with Ending() as ending, contextlib.ExitStack() as stack:
        data = options.data
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local-ecr-")))
        with starting():
            server = LocalEcrServer(
                LocalEcr(data, **of_ecr),
                [(registry.account, registry.region) for registry in registries],
                **options.of_server(data),
            )
            stack.enter_context(server)
        sys.stdout.write(ready_lines(server, registries) + next_steps(server, registries[0]))
        sys.stdout.flush()
        ending.wait()


def command_line() -> argparse.ArgumentParser:
    """What can be asked for: a registry's own options, and those of StartOptions by their names."""
    parser = argparse.ArgumentParser(
        prog="local-ecr",
        description="Run an Amazon ECR on this machine, in the foreground, until Ctrl-C or SIGTERM.",
        epilog="It says what to export for boto3, the AWS CLI and docker. An account's id is the access key of its "
        "root, and any secret key is right. `local-ecr seed --help`: fill a folder with repositories and images.",
    )
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {version('local-ecr')}")
    add(
        "--registry",
        type=read_registry,
        action="append",
        metavar="ACCOUNT/REGION",
        help=f"once for each (default: {named(DEFAULT_REGISTRY)})",
    )
    add("--data", type=Path, help="keep everything in this folder between runs (default: a temporary one)")
    add(
        "--port",
        type=whole_number(0, (1 << 16) - 1),
        default=StartOptions.port,
        help="of the API; those behind it are the registries', and with --tls the proxy's (default: any free ones)",
    )
    add(
        "--host",
        default=StartOptions.host,
        help="IP address to listen on (default: 127.0.0.1 and ::1, so that only this machine gets in)",
    )
    add("--public-host", help="what URLs call this machine (default: the address of --host)")
    add("--tls", action="store_true", help="speak TLS, by a certificate authority that is made and kept in the folder")
    add(
        "--identities",
        type=Path,
        help="JSON file of users, roles and service callers (default: an account's id is the key of its root)",
    )
    add(
        "--access",
        choices=["on", "off"],
        default=StartOptions.access,
        help="with off, whoever is known may do everything, and tokens are optional (default: on)",
    )
    add("--decisions", action="store_true", help="show who was allowed what, and why not")
    add(
        "--scans-end-after",
        type=_seconds,
        metavar="SECONDS",
        help="end each scan without findings so long after it began, unless a result is recorded before "
        "(default: a scan is under way until a result is recorded)",
    )
    add(
        "--quirks",
        default=StartOptions.quirks,
        help="where to leave the OCI specification: ecr (default), none, or either with names to add or take away, as "
        "in ecr,-blob_redirect; list prints them",
    )
    add(
        "--quotas",
        default=StartOptions.quotas,
        help="throttle as AWS does: none (default), ecr for AWS's default quotas, or a factor for them, such as 0.1; "
        "with others behind it, as in ecr,PutImage=50",
    )
    return parser


def _seconds(text: str) -> timedelta:
    try:
        found = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        found = timedelta(-1)
    if not timedelta() <= found <= LONGEST_SCAN:
        raise argparse.ArgumentTypeError(
            f"not a number of seconds from 0 to {LONGEST_SCAN.total_seconds():.0f}: {text!r}"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
