"""The commands of ``ecr-steward sandbox`` and their arguments. What they do is imported when one is called."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli import ecr_options
from ecr_steward_cli.build_option import Build, require_template
from ecr_steward_cli.refusal import refuse

if TYPE_CHECKING:
    from ecr_steward_sandbox.control_client import ControlClient

app = typer.Typer(help="Everything on this machine, with no cloud account.", no_args_is_help=True)

Endpoint = Annotated[
    str | None,
    typer.Option(
        envvar=["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"],
        help="URL of the running sandbox, such as http://127.0.0.1:4566.",
        show_default=False,
    ),
]


@app.command()
def up(  # noqa: PLR0917 typer reads them as options
    port: ecr_options.Port = 0,
    rulebook: Annotated[
        Path | None,
        typer.Option(
            help="Put in force now, and each time that it is saved (default: the one here, else an example).",
            show_default=False,
        ),
    ] = None,
    build: Build = None,
    ecr_only: Annotated[
        bool, typer.Option("--ecr-only", help="Only a registry: no functions, no template, no other AWS.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="A parameter of the template; several times for several (default: the template's).",
            metavar="NAME=VALUE",
            show_default=False,
        ),
    ] = None,
    account: ecr_options.Accounts = None,
    region: ecr_options.Regions = None,
    data: ecr_options.Data = None,
    host: ecr_options.Host = None,
    public_host: ecr_options.PublicHost = None,
    tls: ecr_options.Tls = False,
    identities: ecr_options.Identities = None,
    access: ecr_options.AccessOption = None,
    decisions: ecr_options.Decisions = False,
    scans_end_after: ecr_options.ScansEndAfter = None,
    quirks: ecr_options.Quirks = None,
    quotas: ecr_options.Quotas = None,
) -> None:
    """Run the sandbox in the foreground until Ctrl-C."""
    options = {
        "data": data,
        "host": host,
        "public_host": public_host,
        "tls": tls,
        "identities": identities,
        "access": access and access.value,
        "decisions": decisions,
        "scans_end_after": None if scans_end_after is None else timedelta(seconds=scans_end_after),
        "quirks": quirks,
        "quotas": quotas,
    }
    given = {name: value for name, value in options.items() if value not in {None, False}}
    parameters = dict(_parameter(each) for each in parameter or ())
    if ecr_only:
        about_the_template = {"parameter": bool(parameters), "rulebook": rulebook, "build": build}
        for name, is_given in about_the_template.items():
            if is_given:
                refuse(f"--{name} is about the template, which --ecr-only leaves out", Code.ECR_ONLY)
        from ecr_steward_sandbox.ecr_foreground import up as run_ecr

        run_ecr({"port": port, **given}, accounts=account, regions=region)
        return
    for name, value in (given | {"account": account, "region": region}).items():
        if value:
            refuse(f"--{name.replace('_', '-')} goes with --ecr-only", Code.ECR_ONLY)
    require_template(build)
    if rulebook is not None and not rulebook.is_file():
        refuse(f"--rulebook {rulebook} is not a file", Code.FILE_UNREADABLE)
    from ecr_steward_cli.sandbox_rulebook import source_of
    from ecr_steward_sandbox.foreground import up as run_sandbox

    # A build has a rulebook of its own, which stays unless another one is named.
    source = source_of(rulebook, parameters) if rulebook is not None or build is None else None
    run_sandbox(build, port, rulebook=source, parameters=parameters)


def _parameter(text: str) -> tuple[str, str]:
    name, is_one, value = text.partition("=")
    if not name or not is_one:
        refuse(f"--parameter {text} is not NAME=VALUE, such as RulebookBucket=example-rules", Code.PARAMETER)
    return name, value


@app.command()
def seed(
    layout: Annotated[Path, typer.Argument(help="A folder with an OCI image layout.", metavar="LAYOUT")],
    image: Annotated[str, typer.Argument(help="Such as team-a/api:1.0.0.", metavar="REPOSITORY:TAG")],
    endpoint: Endpoint = None,
) -> None:
    """Push an image from a folder; its repository is created where there is none.

    `skopeo copy --all docker://IMAGE oci:LAYOUT` makes such a folder.
    """
    repository_name, _, image_tag = image.rpartition(":")
    if not repository_name or not image_tag or "/" in image_tag:
        refuse(f"{image} names no repository and tag; write REPOSITORY:TAG, such as team-a/api:1.0.0", Code.IMAGE_NAME)
    from ecr_steward_sandbox.seed import SeedError, seed

    try:
        done = seed(layout, repository_name, image_tag, _url(endpoint), lambda text: typer.echo(text, err=True))
    except SeedError as error:
        refuse(str(error), Code.SANDBOX)
    manifests, blobs = _counted(done.manifests, "manifest"), _counted(done.blobs, "new blob")
    typer.echo(f"pushed {done.repository_name}:{done.image_tag} with {manifests} and {blobs}", err=True)
    typer.echo(done.digest)


@app.command()
def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in each line.")] = False,
    detail_type: Annotated[
        str, typer.Option("--type", help="Only those whose detail-type has these words: image, scan, cloudtrail.")
    ] = "",
    endpoint: Endpoint = None,
) -> None:
    """Show what ECR and the others have told EventBridge."""
    import json

    from ecr_steward_sandbox.control_client import ControlError
    from ecr_steward_sandbox.told import event_line

    client = _client(endpoint)
    try:
        found = client.lines("events", follow="true") if follow else client.get("events")
        for entry in found:
            event = entry["event"]
            if detail_type.lower() in event.get("detail-type", "").lower():
                typer.echo(json.dumps(event) if as_json else f"{event.get('time')} {event_line(event)}")
        if follow:
            typer.echo("the sandbox has ended", err=True)
    except ControlError as error:
        refuse(str(error), Code.SANDBOX)
    except KeyboardInterrupt:
        return


@app.command()
def why(
    request_id: Annotated[
        str,
        typer.Argument(
            help="x-amzn-RequestId of an answer of ECR; by default of the last one that refused.",
            metavar="[REQUEST-ID]",
            show_default=False,
        ),
    ] = "last-refused",
    endpoint: Endpoint = None,
) -> None:
    """Show why a request was allowed or refused: each policy that was looked at, and what was missing."""
    from ecr_steward_sandbox.control_client import ControlError

    try:
        found = _client(endpoint).get(f"decisions/{quote(request_id, safe='')}")
    except ControlError as error:
        refuse(str(error), Code.SANDBOX)
    typer.echo(f"request {found['request_id']}")
    for line in found["why"]:
        typer.echo(line)


@app.command()
def clock(
    move: Annotated[
        str | None, typer.Argument(help="Let so much time pass at once: 90m, 13h, 30d.", show_default=False)
    ] = None,
    endpoint: Endpoint = None,
) -> None:
    """Show the sandbox's time, or move it forward."""
    from ecr_steward_sandbox.control_client import ControlError

    client = _client(endpoint)
    try:
        time = client.get("clock") if move is None else client.post("clock", {"move": move})
    except ControlError as error:
        refuse(str(error), Code.SANDBOX)
    typer.echo(time["now"])
    if time["seconds_ahead"]:
        typer.echo(f"{timedelta(seconds=round(time['seconds_ahead']))} ahead of this machine", err=True)
    moved = time.get("moved") or {}
    if fired := moved.get("fired"):
        typer.echo(f"fired: {', '.join(fired)}", err=True)


def _client(endpoint: str | None) -> "ControlClient":
    from ecr_steward_sandbox.control_client import ControlClient

    return ControlClient(_url(endpoint))


def _url(endpoint: str | None) -> str:
    """Where the sandbox is. Nobody is asked without it: boto3 would call Amazon ECR itself."""
    if endpoint is None:
        refuse(
            "which sandbox? Export the AWS_ENDPOINT_URL that `ecr-steward sandbox up` says, or give --endpoint URL",
            Code.NO_ENDPOINT,
        )
    if not endpoint.startswith(("http://", "https://")):
        refuse(
            f"{endpoint} is no URL of a sandbox; write it as `ecr-steward sandbox up` says it: http://127.0.0.1:PORT",
            Code.ENDPOINT,
        )
    return endpoint


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
