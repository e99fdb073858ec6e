"""The part of a repository policy that the rulebook's words make.

Equal words make equal statements, whatever their order where order means nothing. Each Sid begins with the steward's
own prefix, by which its statements are told from those of others.

Of services, the statements are those that AWS documents: for Lambda "Creating a function with an image in a different
account" (AWS Knowledge Center, "lambda-ecr-image", and the Lambda developer guide, "Amazon ECR permissions"), for
CodeBuild "Amazon ECR sample for CodeBuild" and "Cross-service confused deputy prevention" (CodeBuild user guide).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ecr_steward.domain.names import RegistryRef, partition_of
from ecr_steward.domain.policies.outside import accounts_of
from ecr_steward.domain.policies.rules import OWN_SID, Inside, PolicyRules, Treatment
from ecr_steward.domain.policies.statements import VERSION
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
_LAMBDA_ACTIONS: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_IDENTITY = re.compile(rf"(?:(?P<account>{ACCOUNT_ID}):)?(?P<resource>(?:role|user)/.+)")

type _Statement = dict[str, Any]


def policy_rules(policy: Policy, registry: RegistryRef) -> PolicyRules:
    """What a policy of the rulebook means for the repositories of one registry."""
    statements = (
        *grants("Pull", policy.pull, PULL_ACTIONS, registry),
        *grants("Push", policy.push, PUSH_ACTIONS, registry),
        *_further(policy),
    )
    return PolicyRules(
        statements=statements,
        foreign=Treatment(policy.foreign),
        outside=Treatment(policy.outside),
        inside=_inside(policy, registry, statements),
    )


def repository_policy(policy: Policy, registry: RegistryRef) -> Document:
    """The rulebook's part alone, as a policy of its own."""
    return {"Version": VERSION, "Statement": list(policy_rules(policy, registry).statements)}


def _further(policy: Policy) -> Iterator[_Statement]:
    for number, statement in enumerate(policy.statements, start=1):
        sid = statement.sid or f"Statement{number}"
        written = statement.model_dump(by_alias=True, exclude_none=True)
        yield {"Sid": sid if sid.startswith(OWN_SID) else f"{OWN_SID}{sid}"} | {
            key: value for key, value in written.items() if key != "Sid"
        }


def _inside(policy: Policy, registry: RegistryRef, statements: Sequence[_Statement]) -> Inside:
    """The own account, and whom the rule names."""
    words = {*policy.pull, *policy.push, *policy.inside}
    accounts = {registry.account, *accounts_of(tuple(statements))}
    organizations = set[str]()
    for word in words:
        kind, _, rest = word.partition(":")
        if kind in ("org", "ou"):
            organizations.add(rest.partition("/")[0])
        elif kind in ("lambda", "codebuild") and rest:
            accounts.add(rest)
        elif re.fullmatch(ACCOUNT_ID, kind):
            accounts.add(kind)
    return Inside(frozenset(accounts), frozenset(organizations))


def grants(half: str, words: Iterable[str], actions: tuple[str, ...], registry: RegistryRef) -> Iterator[_Statement]:
    """A statement for whom one can name, and one for each kind of condition by which the others are known."""
    named, organizations, paths = set[str](), set[str](), set[str]()
    patterns: dict[str, set[str]] = {}
    services: dict[str, set[str]] = {}
    for word in words:
        kind, _, rest = word.partition(":")
        if kind == "org":
            organizations.add(rest)
        elif kind == "ou":
            paths.add(rest)
        elif kind in ("lambda", "codebuild"):
            services.setdefault(kind, set()).add(rest or registry.account)
        elif identity := _IDENTITY.fullmatch(word):
            account = identity["account"] or registry.account
            arn = _iam_arn(registry, account, identity["resource"])
            if "*" in word:
                patterns.setdefault(account, set()).add(arn)
            else:
                named.add(arn)
        else:
            named.add(_iam_arn(registry, word if re.fullmatch(ACCOUNT_ID, word) else registry.account, "root"))
    # Functions of another account also need their account to be let in.
    named |= {_iam_arn(registry, each, "root") for each in services.get("lambda", ()) if each != registry.account}
    sid = f"{OWN_SID}{half}"
    if named:
        yield _allow(sid, {"AWS": sorted(named)}, actions)
    if organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": sorted(organizations)}}
        yield _allow(f"{sid}FromOrganization", "*", actions, condition)
    if paths:
        condition = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": sorted(paths)}}
        yield _allow(f"{sid}FromUnit", "*", actions, condition)
    for account, arns in sorted(patterns.items()):  # AWS knows no pattern in a principal
        by = "" if account == registry.account else account
        principal = {"AWS": [_iam_arn(registry, account, "root")]}
        yield _allow(f"{sid}ByName{by}", principal, actions, {"ArnLike": {"aws:PrincipalArn": sorted(arns)}})
    yield from _of_services(sid, services, registry)


def _of_services(sid: str, services: dict[str, set[str]], registry: RegistryRef) -> Iterator[_Statement]:
    partition, region = partition_of(registry.region), registry.region
    if functions := sorted(services.get("lambda", ())):
        arns = [f"arn:{partition}:lambda:{region}:{account}:function:*" for account in functions]
        condition: _Statement = {"StringLike": {"aws:sourceArn": arns}}
        yield _allow(f"{sid}ByLambda", {"Service": "lambda.amazonaws.com"}, _LAMBDA_ACTIONS, condition)
    if projects := sorted(services.get("codebuild", ())):
        condition = {
            "StringEquals": {"aws:SourceAccount": projects},
            "ArnLike": {"aws:SourceArn": [f"arn:{partition}:codebuild:*:{account}:project/*" for account in projects]},
        }
        yield _allow(f"{sid}ByCodeBuild", {"Service": "codebuild.amazonaws.com"}, PULL_ACTIONS, condition)


def _allow(
    sid: str, principal: str | dict[str, Any], actions: tuple[str, ...], condition: _Statement | None = None
) -> _Statement:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    return statement | ({"Condition": condition} if condition else {})


def _iam_arn(registry: RegistryRef, account: str, resource: str) -> str:
    return f"arn:{partition_of(registry.region)}:iam::{account}:{resource}"
