"""The repository policy that the rulebook's words make.

Equal words make equal documents, whatever their order where order means nothing, so that an equal document is never
written again.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ecr_steward.domain.names import RegistryRef, partition_of
from ecr_steward.domain.repositories import Document
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.words import ACCOUNT_ID

PULL_ACTIONS: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH_ACTIONS: Final = (
    *PULL_ACTIONS,
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def repository_policy(policy: Policy, registry: RegistryRef) -> Document:
    """The repository policy that says this, for the repositories of one registry."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            *_grants("Pull", policy.pull, PULL_ACTIONS, registry),
            *_grants("Push", policy.push, PUSH_ACTIONS, registry),
            *(statement.model_dump(by_alias=True, exclude_none=True) for statement in policy.statements),
        ],
    }


def _grants(
    sid: str, words: Iterable[str], actions: tuple[str, ...], registry: RegistryRef
) -> Iterator[dict[str, Any]]:
    """A statement for whom one can name, one for organisations, one for roles by pattern."""
    named, organisations, role_patterns = set(), set(), set()
    for word in words:
        if word.startswith("org:"):
            organisations.add(word.removeprefix("org:"))
        elif word.startswith("role/") and "*" in word:
            role_patterns.add(_iam_arn(registry, registry.account, word))
        elif word.startswith("role/"):
            named.add(_iam_arn(registry, registry.account, word))
        else:
            named.add(_iam_arn(registry, word if re.fullmatch(ACCOUNT_ID, word) else registry.account, "root"))
    if named:
        yield _allow(sid, {"AWS": sorted(named)}, actions)
    if organisations:
        of_organisation = {"StringEquals": {"aws:PrincipalOrgID": sorted(organisations)}}
        yield _allow(f"{sid}FromOrganization", "*", actions, of_organisation)
    if role_patterns:  # AWS knows no pattern in a principal
        account = {"AWS": [_iam_arn(registry, registry.account, "root")]}
        yield _allow(f"{sid}ByRole", account, actions, {"ArnLike": {"aws:PrincipalArn": sorted(role_patterns)}})


def _allow(
    sid: str, principal: str | dict[str, list[str]], actions: tuple[str, ...], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    return statement | ({"Condition": condition} if condition else {})


def _iam_arn(registry: RegistryRef, account: str, resource: str) -> str:
    return f"arn:{partition_of(registry.region)}:iam::{account}:{resource}"
