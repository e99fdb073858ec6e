"""The words of the key ``registries``: the grammar of ECR's API reference, written so that no text takes long."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, WithJsonSchema

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.words import WrongWordError

ROOT: Final = "ROOT"
ROLE_PREFIX: Final = "ecr-steward-creation-template"
"""How the names of roles begin that a creation template may name: the template's parameter of that name widens it."""

_SCAN_FILTER = r"(?=.{1,255}$)[a-z0-9*]+([._/-][a-z0-9*]+)*"
_PREFIX = r"(?=.{2,256}$)([a-z0-9][a-z0-9._-]*/)*[a-z0-9._-]*"
_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_TEMPLATE_PREFIX = rf"(?=.{{1,256}}$)({_NAME}(/{_NAME})*/?|{ROOT})"
_TEMPLATE_ROLE = rf"{ROLE_PREFIX}[A-Za-z0-9+=,.@_-]{{0,35}}"


def _check_scan_filter(text: str) -> str:
    if not re.fullmatch(_SCAN_FILTER, text):
        raise WrongWordError(
            f"`{text}` is not a filter that ECR takes",
            "a part of repository names, or a whole name in which `*` stands for anything",
            code=Code.SCAN_FILTER,
        )
    return text


def _check_prefix(text: str) -> str:
    if "*" in text:
        raise WrongWordError(
            f"`{text}` has a `*`, and ECR replicates by how names begin",
            "the beginning alone",
            text.partition("*")[0] or None,
            code=Code.REPLICATION_PREFIX,
        )
    if not re.fullmatch(_PREFIX, text):
        raise WrongWordError(
            f"`{text}` is not how a repository's name begins",
            "2 to 256 of a-z, 0-9, `.`, `_`, `-` and `/`",
            code=Code.REPLICATION_PREFIX,
        )
    return text


def _check_template_prefix(text: str) -> str:
    if not re.fullmatch(_TEMPLATE_PREFIX, text):
        beginning = text.partition("*")[0]
        meant = ROOT if text.upper() == ROOT or beginning in ("", "/") else beginning
        raise WrongWordError(
            f"`{text}` is not the prefix of a creation template",
            f"whole parts of a name, such as team-a/, or {ROOT} for all that no other template is for",
            meant if re.fullmatch(_TEMPLATE_PREFIX, meant) else None,
            code=Code.TEMPLATE_PREFIX,
        )
    return text


def _check_template_role(text: str) -> str:
    if text.startswith("arn:"):
        raise WrongWordError(
            f"`{text}` is an ARN, and the role is looked for in the account of each registry",
            f"the name of the role, which starts with {ROLE_PREFIX}",
            code=Code.ROLE_ARN,
        )
    if not re.fullmatch(_TEMPLATE_ROLE, text):
        raise WrongWordError(
            f"`{text}` is a role that the steward may not give to ECR",
            f"a name of at most 64 characters that starts with {ROLE_PREFIX}, as the template's parameter "
            "CreationTemplateRolePrefix says",
            code=Code.ROLE_NAME,
        )
    return text


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$"})


def each_once[Word](entries: tuple[Word, ...]) -> tuple[Word, ...]:
    """Refuse a list in which something stands twice."""
    doubled = next((one for number, one in enumerate(entries) if one in entries[:number]), None)
    if doubled is not None:
        raise WrongWordError(f"`{doubled}` stands here twice", "each once", code=Code.ENTRY_TWICE)
    return entries


ScanFilter = Annotated[str, AfterValidator(_check_scan_filter), _schema(_SCAN_FILTER)]
ReplicationPrefix = Annotated[str, AfterValidator(_check_prefix), _schema(_PREFIX)]
ScanFilters = Annotated[tuple[ScanFilter, ...], AfterValidator(each_once)]
ReplicationPrefixes = Annotated[tuple[ReplicationPrefix, ...], AfterValidator(each_once)]
AppliedFor = Annotated[
    tuple[Literal["replication", "pull_through_cache", "create_on_push"], ...], AfterValidator(each_once)
]
TemplatePrefix = Annotated[str, AfterValidator(_check_template_prefix), _schema(_TEMPLATE_PREFIX)]
TemplateRole = Annotated[str, AfterValidator(_check_template_role), _schema(_TEMPLATE_ROLE)]
