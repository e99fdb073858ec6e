"""The rulebook in force: of the Lambda layer that the functions have, or of the bucket."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import urllib3

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.state_rulebook import StateRulebook
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.bootstrap import Settings
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import InvalidRulebookError, StewardError
from ecr_steward.rulebook.bounds import Bounds
from ecr_steward.rulebook.limits import LARGEST_COMPILED
from ecr_steward.rulebook.load import parse_compiled
from ecr_steward_cli.doctor.around.facts import RulebookFact
from ecr_steward_cli.doctor.asking import Asker, NotThereError, UnreadError
from ecr_steward_cli.doctor.findings import Unread
from ecr_steward_cli.doctor.parts.part import Part

_FUNCTION: Final = "AWS::Lambda::Function"
_FILE: Final = "rulebook.json"
_LARGEST_LAYER: Final = 50_000_000
"""Bytes of a zipped layer: Lambda takes no larger one in a request, and a rulebook has far fewer."""
_SECONDS: Final = 20.0


def read_rulebook(asker: Asker, parts: tuple[Part, ...]) -> RulebookFact | Unread | None:
    """The rulebook as the functions have it; ``None`` where none of them exists.

    Needs lambda:GetLayerVersion, or s3:GetObject and, for one that is refused, dynamodb:GetItem on the state table.
    """
    settings = environment_in(parts)
    if "ECR_STEWARD_RULEBOOK" not in settings:
        return None
    try:
        bounds = Settings.from_env({**settings, "AWS_REGION": asker.caller.region}).bounds
        if bucket := settings.get("ECR_STEWARD_RULEBOOK_BUCKET"):
            return _of_bucket(asker, bucket, settings, bounds)
        return _of_layer(asker, parts, bounds)
    except KeyError as missing:
        return Unread(f"the template gives its functions no {missing.args[0]}")
    except (NotThereError, UnreadError) as error:
        return error.fact if isinstance(error, UnreadError) else RulebookFact("its place", None, str(error))


def environment_in(parts: tuple[Part, ...]) -> Mapping[str, str]:
    """The environment of a function, as the template has it: what all of them share is in each."""
    wanted = [part.wanted for part in parts if part.type == _FUNCTION and isinstance(part.wanted, Mapping)]
    environments: list[Mapping[str, str]] = [one.get("Environment", {}).get("Variables", {}) for one in wanted]
    return next((one for one in environments if "ECR_STEWARD_RULEBOOK" in one), {})


def _of_layer(asker: Asker, parts: tuple[Part, ...], bounds: Bounds) -> RulebookFact | None:
    """Of the version that the functions have now, whatever the template says."""
    versions = [part.physical_id for part in parts if part.logical_id.startswith("RulebookLayer")]
    if not versions:
        return None
    layer = versions[0].rpartition(":")[0]
    functions = [part.found for part in parts if part.type == _FUNCTION and isinstance(part.found, Mapping)]
    found = [arn for function in functions for arn in function["Layers"]]
    version = next((arn for arn in found if arn.rpartition(":")[0] == layer), versions[0])
    name, _, number = version.partition(":layer:")[2].partition(":")
    answer = asker.ask("lambda.get_layer_version", LayerName=name, VersionNumber=int(number))
    text = _unzipped(_downloaded(answer["Content"]["Location"]), version)
    place = f"the Lambda layer {version.partition(':layer:')[2]}"
    return _parsed(text, place, bounds)


def _downloaded(url: str) -> bytes:
    try:
        with (
            urllib3.PoolManager() as pool,
            pool.request("GET", url, preload_content=False, timeout=_SECONDS) as answer,
        ):
            if answer.status != 200:
                raise UnreadError(Unread(f"the content of the rulebook layer: HTTP {answer.status}"))
            content: bytes = answer.read(_LARGEST_LAYER)
    except urllib3.exceptions.HTTPError as error:
        raise UnreadError(Unread(f"the content of the rulebook layer: {type(error).__name__}")) from error
    return content


def _unzipped(content: bytes, version: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(_FILE) as file:
            return file.read(LARGEST_COMPILED + 1)
    except (zipfile.BadZipFile, KeyError) as error:
        raise NotThereError(f"the Lambda layer {version} has no {_FILE}") from error


def _of_bucket(asker: Asker, bucket: str, settings: Mapping[str, str], bounds: Bounds) -> RulebookFact:
    key, owner = settings["ECR_STEWARD_RULEBOOK_KEY"], settings["ECR_STEWARD_ACCOUNT"]
    place = f"s3://{bucket}/{key}"
    refused = ""
    try:
        found: Any = asker.ask("s3.get_object", Bucket=bucket, Key=key, ExpectedBucketOwner=owner)
        fact = _parsed(found["Body"].read(LARGEST_COMPILED + 1), place, bounds)
        if fact.rules is not None:
            return fact
        refused = fact.refused
    except NotThereError as error:
        refused = f"{place} does not exist: {error}"
    return RulebookFact(place, _last_good(asker, settings["ECR_STEWARD_STATE_TABLE"], place, bounds), refused)


def _last_good(asker: Asker, table: str, place: str, bounds: Bounds) -> Rules | None:
    """What functions that start now would have: the last version that validated, from the state table."""
    try:
        kept = StateRulebook(StateTable(asker.caller.clients, table, utc_now), place).get()
    except StewardError as error:
        raise UnreadError(Unread(f"the last good rulebook: {error}")) from error
    return _parsed(kept, f"the last good version of {place}", bounds).rules if kept else None


def _parsed(text: bytes, place: str, bounds: Bounds) -> RulebookFact:
    try:
        return RulebookFact(place, parse_compiled(text, place, bounds))
    except InvalidRulebookError as error:
        return RulebookFact(place, None, str(error))
