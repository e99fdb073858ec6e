"""``ecr-steward lifecycle preview``: gather images and rules, simulate, show."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from ecr_steward.domain.lifecycle.document import parse_lifecycle_text
from ecr_steward.domain.lifecycle.policy import refusals
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import InvalidLifecyclePolicyError, InvalidNameError
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.words import Days
from ecr_steward_cli.caller import region_or_none
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.lifecycle_preview import Intent, as_document, intent_of, preview
from ecr_steward_cli.refusal import refuse, report_text
from ecr_steward_cli.stored_images import StoredRepository, UnreadableImagesError, read_images_file, read_repository

type Source = Callable[[RepositoryRef, Mapping[str, str]], Intent | None]
"""What is to be previewed of a repository; ``None`` where nothing is said of it."""


@dataclass(frozen=True)
class Asked:
    """What the command was asked."""

    repositories: tuple[str, ...] = ()
    policy: Path | None = None
    rulebook: Path | None = None
    images: Path | None = None
    account: str | None = None
    region: str | None = None
    ahead: str | None = None


def run(asked: Asked, *, full: bool, as_json: bool) -> None:
    """Print the previews. Raises typer.Exit."""
    if asked.policy and asked.rulebook:
        refuse("--policy and --rulebook say two things: give one of them", Code.LIFECYCLE_OPTIONS)
    if asked.images and not (asked.policy or asked.rulebook):
        refuse(
            "--images asks nobody for the repository's own policy: give --policy or --rulebook", Code.LIFECYCLE_OPTIONS
        )
    ahead = _ahead(asked.ahead)
    previews = [
        preview(ref, stored, intent, datetime.now(UTC), ahead)
        for ref, stored, intent in (_from_file(asked) if asked.images else _from_ecr(asked))
    ]
    if as_json:
        typer.echo(json.dumps({"repositories": [as_document(each) for each in previews]}, indent=2))
        return
    from ecr_steward_cli.lifecycle_report import show_previews  # noqa: PLC0415

    show_previews(previews, sys.stdout, full=full)


def _ahead(text: str | None) -> timedelta:
    if text is None:
        return timedelta()
    try:
        return timedelta(days=TypeAdapter(Days).validate_python(text))
    except ValidationError:
        refuse(f"--ahead {text} is not a duration: write days or weeks, such as 14d or 2w", Code.DURATION)


# ------------------------------------------------------------------ from a file


def _from_file(asked: Asked) -> Iterator[tuple[RepositoryRef, StoredRepository, Intent]]:
    assert asked.images is not None  # noqa: S101 - the caller looked
    try:
        found = read_images_file(asked.images)
    except OSError as error:
        refuse(f"{error.filename} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    except UnreadableImagesError as error:
        refuse(str(error), Code.IMAGES_FILE)
    if unknown := set(asked.repositories) - {stored.name for stored in found}:
        refuse(
            f"{asked.images} has no image of {min(unknown)}; it has images of {', '.join(one.name for one in found)}",
            Code.IMAGES_FILE,
        )
    source = _given(asked)
    region = region_or_none(asked.region) or "us-east-1"
    for stored in found:
        if asked.repositories and stored.name not in asked.repositories:
            continue
        registry = _registry(asked.account or stored.account or "000000000000", region)
        ref = RepositoryRef(registry, stored.name or "unnamed")
        if (intent := source(ref, {})) is not None:
            yield ref, stored, intent
        else:
            typer.echo(f"{ref.name}: the rulebook says nothing of its images", err=True)


def _registry(account: str, region: str) -> RegistryRef:
    try:
        return RegistryRef(account, region)
    except InvalidNameError as error:
        refuse(str(error), Code.IMPOSSIBLE_NAME)


# ------------------------------------------------------------------ from ECR


def _from_ecr(asked: Asked) -> Iterator[tuple[RepositoryRef, StoredRepository, Intent]]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from ecr_steward_cli.planning.gathering import connect, registries_of  # noqa: PLC0415

    source = _given(asked) if asked.policy or asked.rulebook else None
    caller = connect(asked.region)
    try:
        (registry,) = registries_of(caller, [asked.account] if asked.account else [], [])
        client = caller.clients.ecr(registry)
        for name in asked.repositories or _all_repositories(client, registry):
            ref = RepositoryRef(registry, name)
            resource_tags = _resource_tags(client, ref) if asked.rulebook else {}
            intent = source(ref, resource_tags) if source else _own(client, ref)
            if intent is None:
                says = "the rulebook says nothing of its images" if source else "it has no lifecycle policy"
                typer.echo(f"{name}: {says}", err=True)
                continue
            yield ref, read_repository(client, name, registry.account), intent
    except (BotoCoreError, ClientError) as error:
        refuse(f"ECR cannot be read: {error}", Code.CALL_REFUSED)
    except InvalidNameError as error:
        refuse(str(error), Code.IMPOSSIBLE_NAME)


def _all_repositories(client: Any, registry: RegistryRef) -> Iterator[str]:
    for page in client.get_paginator("describe_repositories").paginate(registryId=registry.account):
        yield from (entry["repositoryName"] for entry in page["repositories"])


def _resource_tags(client: Any, ref: RepositoryRef) -> dict[str, str]:
    arn = f"arn:{client.meta.partition}:ecr:{ref.registry.region}:{ref.registry.account}:repository/{ref.name}"
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def _own(client: Any, ref: RepositoryRef) -> Intent | None:
    try:
        answer = client.get_lifecycle_policy(registryId=ref.registry.account, repositoryName=ref.name)
    except client.exceptions.LifecyclePolicyNotFoundException:
        return None
    try:
        return Intent("the repository's own policy", parse_lifecycle_text(answer["lifecyclePolicyText"]))
    except InvalidLifecyclePolicyError as error:
        refuse(f"the lifecycle policy of {ref.name} cannot be read: {error}", Code.LIFECYCLE_UNREADABLE)


# ------------------------------------------------------------------ what is given


def _given(asked: Asked) -> Source:
    if asked.rulebook:
        rules = _rules(asked.rulebook)
        source = asked.rulebook.name
        return lambda ref, resource_tags: intent_of(rules, ref, resource_tags, source)
    assert asked.policy is not None  # noqa: S101 - the caller looked
    try:
        policy = parse_lifecycle_text(asked.policy.read_text(encoding="utf-8"))
    except OSError as error:
        refuse(f"{error.filename} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    except (InvalidLifecyclePolicyError, UnicodeDecodeError) as error:
        refuse(f"{asked.policy}: {error}", Code.LIFECYCLE_UNREADABLE)
    if faults := refusals(policy):
        for fault in faults:
            report_text(f"{asked.policy}: ECR would refuse this policy: {fault}", Code.LIFECYCLE_UNREADABLE)
        raise typer.Exit(FAILED)
    intent = Intent(str(asked.policy), policy)
    return lambda ref, resource_tags: intent


def _rules(path: Path) -> Rules:
    from ecr_steward_cli.rulebook_commands import valid_rulebook  # noqa: PLC0415

    return compile_rulebook(valid_rulebook(path)[1])
