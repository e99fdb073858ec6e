"""The arguments of ``ecr-steward copy``.

Read by argparse, which is there in a few milliseconds: the parser of the other commands takes as long as copying a
small image.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.copying.command import Asked, copy
from ecr_steward_cli.refusal import refuse

MOST_JOBS = 64


_DESCRIPTION = """\
Copy an image with all that it consists of, byte for byte, between registries and
folders. Logins are those of docker login and podman login; for ECR without one,
or where that has expired, those of AWS."""
_EPILOG = """\
examples:
  ecr-steward copy docker.io/library/busybox:1.37 oci:images
  ecr-steward copy --create oci:images:1.37 111122223333.dkr.ecr.eu-west-1.amazonaws.com/base/busybox
  ecr-steward copy --all-tags --referrers registry.example.com/team/api other.example.com/team/api

Exit codes: 0 everything is there, 1 something failed or was used wrongly, 3 an image
tag was skipped (--no-clobber), 130 interrupted."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        refuse(f"{message}; see ecr-steward copy --help", Code.COPY_OPTIONS)


def run(arguments: Sequence[str]) -> int:
    """Copy as the arguments say; the exit code. Raises SystemExit for wrong use."""
    given = _parser().parse_args(arguments)
    return copy(_asked(given))


def _asked(given: argparse.Namespace) -> Asked:
    return Asked(
        given.source,
        given.destination,
        platforms=given.platform or (),
        all_tags=given.all_tags,
        referrers=given.referrers,
        deep=given.deep,
        no_clobber=given.no_clobber,
        dry_run=given.dry_run,
        insecure=given.insecure,
        keep_going=given.keep_going,
        as_json=given.json,
        digest_file=given.digestfile,
        jobs=given.jobs,
        token_servers=given.token_server or (),
        create=given.create,
        rulebook=given.rulebook,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ecr-steward copy",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add = parser.add_argument
    add("source", metavar="SRC", help="host/repository:tag, host/repository@sha256:..., or oci:FOLDER:tag")
    add("destination", metavar="DST", help="likewise; without a tag it is that of SRC")
    add(
        "--platform",
        action="append",
        metavar="OS/ARCH[/VARIANT]",
        help="only this one: its image takes the tag; several make a new, smaller index, with a digest of its own",
    )
    add("--all-tags", action="store_true", help="every image tag of the repository")
    add("--referrers", action="store_true", help="signatures, SBOMs and attestations, too")
    add("--deep", action="store_true", help="look for each manifest and blob, although what leads to it is there")
    add("--no-clobber", action="store_true", help="move no image tag that another image holds; the exit code is 3 then")
    add(
        "--create",
        action="store_true",
        help="create the repository of DST in ECR, where there is none, by AWS's own login",
    )
    add(
        "--rulebook",
        type=Path,
        metavar="FILE",
        help="create it with the settings that the rules of this rulebook give it, those in mode observe, too: you ask "
        "for it by hand (default: ecr-steward.yaml here, if there is one)",
    )
    add("--jobs", type=_jobs, default=Asked.jobs, metavar="N", help="blobs under way at a time (default: %(default)s)")
    add("--dry-run", action="store_true", help="only say what would be copied")
    add("--keep-going", action="store_true", help="copy the other images when one fails")
    add("--insecure", action="store_true", help="plain HTTP where a registry does not speak TLS, on any machine")
    add(
        "--token-server",
        action="append",
        metavar="REGISTRY=HOST",
        help="the host that gives out a registry's tokens, where that is not the registry",
    )
    add("--digestfile", type=Path, metavar="FILE", help="write what was copied into this file, a digest a line")
    add("--json", action="store_true", help="print JSON, and nothing else, on standard output")
    return parser


def _jobs(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_JOBS}")
    return int(text)
