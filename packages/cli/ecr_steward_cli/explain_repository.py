"""``ecr-steward explain REPOSITORY``: what rules say about it, and which of them decides, and where its images go."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from ruamel.yaml import YAML

from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.ways import Carrier, Way
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.explanation import Decided, Explanation, explain
from ecr_steward.rulebook.model import Rulebook
from ecr_steward_cli.caller import region_or_none
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.rulebook_commands import the_rulebook, valid_rulebook

_ANY_ACCOUNT = "000000000000"
_ANY_REGION = "any-region-0"
"""They stand for what nobody said, and for no account or region that there is."""
_CARRIERS = {Carrier.ECR: "ECR itself", Carrier.STEWARD: "the steward"}


def explain_repository(
    name: str,
    file: Path | None,
    *,
    account: str | None,
    region: str | None,
    resource_tags: Sequence[str],
    as_json: bool,
) -> None:
    """Print what holds for a repository. Exits with 1 where no rule matches it."""
    rulebook = valid_rulebook(file or the_rulebook())[1]
    region = region_or_none(region)
    for missing, key, option in ((account, "accounts", "--account"), (region, "regions", "--region")):
        named = next((rule.name for rule in rulebook.rules if getattr(rule.match, key)), None)
        if missing is None and named:
            refuse(f"the rule `{named}` names {key}, so say whose repository is meant: {option}", Code.WHOSE_REPOSITORY)
    try:
        repository = RepositoryRef(RegistryRef(account or _ANY_ACCOUNT, region or _ANY_REGION), name)
    except InvalidNameError as error:
        refuse(str(error), Code.IMPOSSIBLE_NAME)
    found = explain(rulebook, repository, _pairs(resource_tags))
    source = _source_of(found, rulebook)
    if as_json:
        told = {
            "repository": name,
            **asdict(found),
            "ways": [_way_as_json(way) for way in found.ways],
            "source": source,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        sys.stdout.write(_text(name, found, source))
        if not resource_tags and any(rule.match.resource_tags for rule in rulebook.rules):
            typer.echo("some rules match by resource tags: --resource-tag KEY=VALUE says which it carries", err=True)
        if missing := _needed_for_ways(rulebook, account, region):
            typer.echo(f"what ECR replicates depends on whose the repository is: {missing} says so", err=True)
    if not found.rules:
        raise typer.Exit(FAILED)


def _needed_for_ways(rulebook: Rulebook, account: str | None, region: str | None) -> str:
    """The options that were not given and that an entry about ECR's own replication asks for."""
    matches = [entry.match for entry in rulebook.registries if entry.replication]
    options = {
        "--account": account is None and any(match.accounts for match in matches),
        "--region": region is None and any(match.regions for match in matches),
    }
    return " and ".join(option for option, is_missing in options.items() if is_missing)


def _pairs(written: Sequence[str]) -> dict[str, str]:
    pairs = dict(each.partition("=")[::2] for each in written)
    if wrong := next((each for each in written if "=" not in each), None):
        refuse(f"`{wrong}` is no resource tag: write KEY=VALUE", Code.RESOURCE_TAG_PAIR)
    return pairs


def _text(name: str, found: Explanation, source: Mapping[str, str | None] | None) -> str:
    if not found.rules:
        return "\n".join([f"{name}: no rule matches it, so it is left alone", *_ways(found)]) + "\n"
    if source:
        place = "/".join(filter(None, source.values()))
        lines = [f"{name}: no rule matches it; it has the settings of its source {place}: {', '.join(found.rules)}"]
    else:
        lines = [f"{name}: matched by {', '.join(found.rules)}"]
    if found.ends_at:
        lines.append(f"  `{found.ends_at}` is final: no rule below it, and not `defaults`, has a say")
    if found.is_owned_by_code:
        owned = ", ".join(found.code_owns)
        lines.append(f"  other code owns it (`infrastructure_code`): of {owned} everything is only reported")
    if not found.decided:
        lines.append("  nothing is said about it")
    for decided in found.decided:
        lines += ["", *_section(decided)]
    return "\n".join([*lines, *_ways(found)]) + "\n"


def _ways(found: Explanation) -> list[str]:
    lines = ["", "where its images go:"] if found.ways or found.impossible else []
    lines += (f"    nowhere: {why}" for why in found.impossible)
    for way in found.ways:
        lines.append(f"    {_place(way.to)}: {_CARRIERS[way.by]}, says {way.rule}, mode {way.mode}")
        lines += (f"        {why}" for why in way.why)
    return lines


def _place(repository: AnyRepository) -> str:
    if isinstance(repository, OtherRepository):
        return str(repository)
    registry = ", ".join(filter(None, _known(repository.registry)))
    return f"{repository.name} ({registry or 'the same registry'})"


def _source_of(found: Explanation, rulebook: Rulebook) -> dict[str, str | None] | None:
    """The source of a copy; account and region as far as the rulebook names them, since others would be guesses."""
    if found.source is None:
        return None
    named = {each for rule in rulebook.rules for each in (*rule.match.accounts, *rule.match.regions)}
    named |= {each for entry in rulebook.registries for each in (*entry.match.accounts, *entry.match.regions)}
    account, region = found.source.registry.account, found.source.registry.region
    return {
        "account": account if account in named else None,
        "region": region if region in named else None,
        "repository": found.source.name,
    }


def _way_as_json(way: Way) -> dict[str, Any]:
    if isinstance(way.to, OtherRepository):
        return {**asdict(way), "to": {"registry": way.to.host, "repository": way.to.name, "login": way.to.login}}
    account, region = _known(way.to.registry)
    return {**asdict(way), "to": {"account": account, "region": region, "repository": way.to.name}}


def _known(registry: RegistryRef) -> tuple[str | None, str | None]:
    """Account and region; ``None`` for the source's own where nobody said which that is."""
    account = None if registry.account == _ANY_ACCOUNT else registry.account
    return account, None if registry.region == _ANY_REGION else registry.region


def _section(decided: Decided) -> list[str]:
    vain = f"; {', '.join(decided.in_vain)} below says it in vain" if decided.in_vain else ""
    heading = f"{decided.section}: rule {decided.rule}, mode {decided.mode}{vain}"
    if decided.section == "repository.lifecycle" and not decided.value:
        return [heading, "    []  # no lifecycle policy: no image expires"]
    return [heading, *(f"    {line}" for line in _yaml(decided.value).splitlines())]


def _yaml(value: Any) -> str:
    if isinstance(value, str | int | float | bool):
        return str(value).lower() if isinstance(value, bool) else str(value)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()
