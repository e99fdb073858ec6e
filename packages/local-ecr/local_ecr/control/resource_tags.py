"""Resource tags of repositories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError
from local_ecr.names import parse_repository_arn
from local_ecr.state import repositories

MAX_RESOURCE_TAGS = 50
MAX_KEY = 128
MAX_VALUE = 256

_RESERVED = "aws:"
"""No key and no value may begin so, in any case (ECR user guide, "ecr-using-tags")."""


def tag_resource(call: Call) -> Mapping[str, Any]:
    tags = read_resource_tags(call.input["tags"])
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, _repository_name(call))
        _check_count({**repositories.resource_tags(change.connection, repository), **tags})
        repositories.add_resource_tags(change.connection, repository, tags)
    return {}


def untag_resource(call: Call) -> Mapping[str, Any]:
    """A key that the repository does not have is no fault."""
    for key in call.input["tagKeys"]:
        _check_key(key)
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, _repository_name(call))
        repositories.remove_resource_tags(change.connection, repository, call.input["tagKeys"])
    return {}


def list_tags_for_resource(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, _repository_name(call))
        tags = repositories.resource_tags(connection, repository)
    return {"tags": shown_resource_tags(tags)}


def read_resource_tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Raises EcrError InvalidTagParameterException or TooManyTagsException."""
    tags: dict[str, str] = {}
    for one in given:
        key, value = one["Key"], one["Value"]
        _check_key(key)
        if value.lower().startswith(_RESERVED):
            raise _invalid("aws: prefixed tag values are not allowed for external use.")
        if len(value) > MAX_VALUE:
            raise _invalid(f"A tag value has at most {MAX_VALUE} characters.")
        if key in tags:
            raise _invalid(f"Duplicate tag key: {key}")
        tags[key] = value
    _check_count(tags)
    return tags


def shown_resource_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _check_key(key: str) -> None:
    if key.lower().startswith(_RESERVED):
        raise _invalid("aws: prefixed tag key names are not allowed for external use.")
    if not 1 <= len(key) <= MAX_KEY:
        raise _invalid(f"A tag key has 1 to {MAX_KEY} characters.")


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_RESOURCE_TAGS:
        raise EcrError("TooManyTagsException", f"A repository can have at most {MAX_RESOURCE_TAGS} tags.")


def _repository_name(call: Call) -> str:
    return parse_repository_arn(call.input["resourceArn"])[1]


def _invalid(why: str) -> EcrError:
    """ECR says no more than the first half (captured in github.com/mulgadc/spinifex)."""
    return EcrError("InvalidTagParameterException", f"Tag parameters are invalid: {why}")


OPERATIONS: dict[str, Handler] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
