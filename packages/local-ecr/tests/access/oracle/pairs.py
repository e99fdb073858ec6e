"""Random policies and requests: always the same ones for the same seed.

`python pairs.py` writes them as lines of JSON, in the form that simulate.mjs reads.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

COUNT = 10_000
SEED = 20_261_125

OWN, OTHER = "111122223333", "444455556666"
USERS = [f"arn:aws:iam::{OWN}:user/jo", f"arn:aws:iam::{OWN}:user/people/ann"]
SESSIONS = [f"arn:aws:sts::{OWN}:assumed-role/ci/run-1", f"arn:aws:sts::{OWN}:assumed-role/deploy/run-2"]
ROLES = [f"arn:aws:iam::{OWN}:role/ci", f"arn:aws:iam::{OWN}:role/deploy"]
ROOT = f"arn:aws:iam::{OWN}:root"
NAMES = [*USERS, *SESSIONS, *ROLES, ROOT, OWN, OTHER, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:role/ci"]
ACTIONS = [
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "ecr:CreateRepository",
    "ecr:TagResource",
    "ecr:ListImages",
]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ACTION_PATTERNS = [
    *ACTIONS,
    "ecr:Batch*",
    "ecr:*Image",
    "ecr:?utImage",
    "ECR:putimage",
    "ecr:*",
    "*",
    "sqs:*",
    "ecr:Get*",
]
REPOSITORIES = ["team/app", "team/job", "jo", "base/a-team", "${aws:username}"]
REGIONS = ["us-east-1", "eu-west-1"]
RESOURCE_PATTERNS = [
    "*",
    "arn:aws:ecr:*:*:repository/*",
    "arn:aws:ecr:us-east-1:*:repository/team/*",
    f"arn:aws:ecr:*:{OWN}:repository/*",
    f"arn:aws:ecr:*:{OTHER}:repository/team/app",
    "arn:aws:ecr:*:*:repository/team/???",
    "arn:aws:ecr:*:*:repository/*/app",
    "arn:aws:ecr:*:*:repository/${aws:username}",
    "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team, 'team'}/*",
    "arn:aws:ecr:*:*:repository/${*}",
    f"arn:aws:ecr:us-east-1:{OWN}:repository/team/app",
    f"arn:aws:ecr:eu-west-?:{OTHER}:repository/jo",
    "arn:aws:ecr:us*",
    "arn:aws:ecr:us-*-1:*:repository/base/?-team",
]
STRINGS = {
    "aws:PrincipalTag/team": ["a", "b", "A", "team"],
    "ecr:ResourceTag/stage": ["test", "production", "a"],
    "aws:RequestTag/team": ["a", "b", "B"],
    "aws:PrincipalAccount": [OWN, OTHER],
    "aws:username": ["jo", "ann"],
    "aws:RequestedRegion": REGIONS,
    "aws:PrincipalOrgID": ["o-1", "o-2"],
}
STRING_WANTED = [
    "a", "b", "A", "te?t", "prod*", "*", "jo", OWN, "o-1", "us-*", "${aws:PrincipalTag/team}", "${aws:username, 'a'}",
    "?", "${?}", "team",
]  # fmt: skip
ARNS = {
    "aws:PrincipalArn": [*USERS, *ROLES],
    "aws:SourceArn": [f"arn:aws:codebuild:us-east-1:{OWN}:project/x", f"arn:aws:lambda:eu-west-1:{OTHER}:function:f"],
}
ARN_WANTED = [
    "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*", f"arn:aws:iam::{OWN}:user/jo", "arn:aws:*:*:*:*",
    "arn:aws:iam::*", "arn:*:iam::111122223333:role/c?", "arn:aws:codebuild:*:*:project/*",
    "arn:aws:lambda:*:*:function:*", "arn:aws:iam::*:user/${aws:username}",
]  # fmt: skip
NUMBERS = {"aws:MultiFactorAuthAge": ["0", "60", "3600", "3600.5"]}
NUMBER_WANTED = ["0", "60", "60.0", "100", "3600"]
DATES = {"aws:CurrentTime": ["2026-11-24T12:00:00Z", "2026-01-01T00:00:00Z"], "aws:EpochTime": ["1700000000"]}
DATE_WANTED = ["2026-11-24T12:00:00Z", "2026-06-01T00:00:00Z", "2020-01-01T00:00:00Z", "1700000000"]
ADDRESSES = {"aws:SourceIp": ["203.0.113.7", "10.1.2.3", "2001:db8:1234:5678::1"]}
ADDRESS_WANTED = ["203.0.113.0/24", "10.0.0.0/8", "203.0.113.7", "203.0.113.7/32", "2001:db8::/32", "0.0.0.0/0"]
FLAGS = {"aws:SecureTransport": ["true", "false"], "aws:MultiFactorAuthPresent": ["true", "false"]}
SEVERAL = {"aws:TagKeys": ["team", "stage", "owner", "Team"]}
SEVERAL_WANTED = ["team", "stage", "t*", "owner", "?eam", "TEAM"]

KINDS: list[tuple[dict[str, list[str]], list[str], list[str]]] = [
    (
        STRINGS,
        STRING_WANTED,
        ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
         "StringNotLike"],
    ),
    (ARNS, ARN_WANTED, ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
    (
        NUMBERS,
        NUMBER_WANTED,
        ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
         "NumericGreaterThanEquals"],
    ),
    (
        DATES,
        DATE_WANTED,
        ["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
         "DateGreaterThanEquals"],
    ),
    (ADDRESSES, ADDRESS_WANTED, ["IpAddress", "NotIpAddress"]),
    (FLAGS, ["true", "false", "True"], ["Bool"]),
]  # fmt: skip
"""Keys and what requests have for them; what policies want; operators."""


class Writer:
    """Writes policies and requests from one stream of random numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  no secret
        self._asked = ("", "")

    def pair(self) -> dict[str, Any]:
        """Policies and a request."""
        principal = self._one([*USERS, *SESSIONS, *SESSIONS, ROOT, "lambda.amazonaws.com"])
        owner = self._one([OWN, OWN, OTHER])
        resource = f"arn:aws:ecr:{self._one(REGIONS)}:{owner}:repository/{self._one(REPOSITORIES[:4])}"
        is_service = not principal.startswith("arn:")
        self._asked = self._one(ACTIONS), resource
        has_boundary = not is_service and principal != ROOT and self._chance(0.35)
        return {
            "principal": principal,
            "action": self._asked[0],
            "resource": resource,
            "owner": owner,
            "context": self._context(principal),
            "identity": self._identity(principal),
            "boundary": self._document(3) if has_boundary else None,
            "policy": self._document(3, principal) if self._chance(0.75) else None,
        }

    def _context(self, principal: str) -> dict[str, str | list[str]]:
        keys: dict[str, str | list[str]] = {}
        for options in (STRINGS, ARNS, NUMBERS, DATES, ADDRESSES, FLAGS):
            for key, values in options.items():
                if self._chance(0.6):
                    keys[key] = self._one(values)
        if self._chance(0.6):
            keys["aws:TagKeys"] = self._random.sample(SEVERAL["aws:TagKeys"], self._random.randint(1, 3))
        for key in ("aws:username", "aws:PrincipalArn", "aws:PrincipalAccount"):
            keys.pop(key, None)
        if principal.startswith("arn:"):
            keys["aws:PrincipalAccount"] = OWN
            keys["aws:PrincipalArn"] = dict(zip(SESSIONS, ROLES, strict=True)).get(principal, principal)
        if ":user/" in principal:
            keys["aws:username"] = principal.rsplit("/", 1)[1]
        return keys

    def _identity(self, principal: str) -> list[dict[str, Any]]:
        if principal == ROOT:
            return [EVERYTHING]  # as the root has it by the IAM user guide, "Policy evaluation logic"
        return [self._document(3) for _ in range(self._random.randint(0, 2))] if principal.startswith("arn:") else []

    def _document(self, most: int, principal: str | None = None) -> dict[str, Any]:
        statements = [self._statement(principal) for _ in range(self._random.randint(1, most))]
        return {"Version": "2012-10-17", "Statement": statements}

    def _statement(self, principal: str | None) -> dict[str, Any]:
        effect = "Allow" if self._chance(0.8) else "Deny"
        statement: dict[str, Any] = {"Effect": effect}
        if principal is not None:
            is_opposite = effect == "Deny" and self._chance(0.3)
            statement["NotPrincipal" if is_opposite else "Principal"] = self._principals(principal)
        for element, options, asked in zip(
            ("Action", "Resource"), (ACTION_PATTERNS, RESOURCE_PATTERNS), self._asked, strict=True
        ):
            if self._chance(0.12):
                statement[f"Not{element}"] = self._some(options, 3)
            else:
                statement[element] = [*self._some(options, 3), *([asked] if self._chance(0.4) else [])]
        if self._chance(0.5):
            statement["Condition"] = self._condition()
        return statement

    def _principals(self, principal: str) -> Any:
        if self._chance(0.15):
            return self._one(["*", {"AWS": "*"}])
        if not principal.startswith("arn:") and self._chance(0.8):
            return {"Service": self._some(["lambda.amazonaws.com", "codebuild.amazonaws.com"], 2)}
        names = self._some(NAMES, 3)
        if principal.startswith("arn:") and self._chance(0.5):
            names = [*names, principal]
        return {"AWS": names}

    def _condition(self) -> dict[str, Any]:
        block: dict[str, dict[str, Any]] = {}
        for _ in range(self._one([1, 1, 2])):
            operator, key, wanted = self._test()
            block.setdefault(operator, {})[key] = wanted
        return block

    def _test(self) -> tuple[str, str, Any]:
        if self._chance(0.08):
            keys = [key for options, _, _ in KINDS for key in options]
            return "Null", self._one(keys), self._one(["true", "false"])
        if self._chance(0.2):
            over = self._one(["ForAllValues", "ForAnyValue"])
            operator = self._one(KINDS[0][2]) + ("IfExists" if self._chance(0.2) else "")
            return f"{over}:{operator}", "aws:TagKeys", self._some(SEVERAL_WANTED, 3)
        options, wanted, operators = self._one(KINDS)
        operator = self._one(operators) + ("IfExists" if self._chance(0.2) else "")
        return operator, self._one(list(options)), self._some(wanted, 2)

    def _some(self, options: list[str], most: int) -> list[str]:
        return self._random.sample(options, self._random.randint(1, most))

    def _one(self, options: Any) -> Any:
        return options[int(self._random.random() * len(options))]

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def pairs(count: int = COUNT, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """The pairs of policies and request, in their order."""
    writer = Writer(seed)
    for _ in range(count):
        yield writer.pair()


def fingerprint() -> str:
    """Of all pairs: when it is another, the frozen answers are about something else."""
    digest = hashlib.sha256()
    for pair in pairs():
        digest.update(json.dumps(pair, sort_keys=True).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    for one in pairs():
        sys.stdout.write(f"{json.dumps(one)}\n")
