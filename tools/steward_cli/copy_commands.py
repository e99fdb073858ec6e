"""The command ``copy`` with its arguments; what it does is imported when it is called."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Move images")(copy)


def copy(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="host/repository:tag, ...@sha256:..., or oci:FOLDER:tag.")
    ],
    destination: Annotated[str, typer.Argument(metavar="DST", help="Likewise; without a tag it is that of SRC.")],
    *,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this one, such as linux/arm64: its image takes the tag. Several make a new, smaller index.",
            show_default=False,
        ),
    ] = None,
    all_tags: Annotated[bool, typer.Option("--all-tags", help="Every image tag of the repository.")] = False,
    referrers: Annotated[bool, typer.Option("--referrers", help="Signatures, SBOMs and attestations, too.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look for each manifest and blob, although what leads to it is there.")
    ] = False,
    no_clobber: Annotated[
        bool, typer.Option("--no-clobber", help="Move no image tag that another image holds; then the exit code is 3.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Blobs under way at a time.")] = 16,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be copied.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Copy the other images when one fails.")] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Plain HTTP where a registry does not speak TLS, on any machine.")
    ] = False,
    token_server: Annotated[
        list[str] | None,
        typer.Option(
            help="The host that gives out a registry's tokens, where that is not the registry.",
            metavar="REGISTRY=HOST",
            show_default=False,
        ),
    ] = None,
    digestfile: Annotated[
        Path | None, typer.Option(help="Write what was copied into this file, a digest a line.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
) -> None:
    """Copy an image with all that it consists of, byte for byte, between registries and folders.

    Logins are those of docker login and podman login; for ECR without one, those of AWS. Exit codes: 0 all is there,
    1 something failed, 2 wrong use, 3 something was skipped.
    """
    from steward_cli.copying.command import Asked
    from steward_cli.copying.command import copy as do

    raise typer.Exit(
        do(
            Asked(
                source,
                destination,
                platforms=platform or (),
                all_tags=all_tags,
                referrers=referrers,
                deep=deep,
                no_clobber=no_clobber,
                dry_run=dry_run,
                insecure=insecure,
                keep_going=keep_going,
                as_json=as_json,
                digest_file=digestfile,
                jobs=jobs,
                token_servers=token_server or (),
            )
        )
    )
