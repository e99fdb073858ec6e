"""Step 6: which rights in KMS ECR asks for in the name of the one who creates a repository."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run, code_of, new_client
from real_account.step import Step

_GUIDE: Final = "ECR user guide, Encryption at rest"
WITHOUT: Final = Belief(
    "kms-without-rights",
    "CreateRepository with a customer's key is refused without rights in KMS",
    _GUIDE,
    "KmsException",
)
WITH: Final = Belief(
    "kms-with-rights",
    "kms:CreateGrant and kms:DescribeKey are enough for CreateRepository with a customer's key",
    _GUIDE,
    "accepted",
)
_GRANTS: Final = {"Action": ["kms:CreateGrant", "kms:DescribeKey"], "Resource": "*"}


def _do(run: Run) -> Iterator[Observation]:
    name = run.making("key", run.name("key"))
    made = run.client("kms").create_key(Description=name, Tags=run.tags("TagKey", "TagValue"))
    key = made["KeyMetadata"]["Arn"]
    create = {"Action": ["ecr:CreateRepository", "ecr:TagResource"], "Resource": "*"}
    yield Observation(WITHOUT, *_create(run, "keyless", key, create))
    yield Observation(WITH, *_create(run, "keyed", key, create, _GRANTS))


def _create(run: Run, name: str, key: str, *statements: dict[str, Any]) -> tuple[str, str]:
    ecr = new_client("ecr", run.region, run.as_role(run.role(name, *statements)))
    whole = run.making("repository", run.name(name))
    encryption = {"encryptionType": "KMS", "kmsKey": key}
    try:
        # A new role's policy may not be known everywhere yet, and AccessDenied is not the answer that is asked for.
        answer = run.pace.until(
            lambda: _settled(
                code_of(
                    lambda: ecr.create_repository(
                        repositoryName=whole, encryptionConfiguration=encryption, tags=run.tags()
                    )
                )
            ),
            30,
        )
    finally:
        ecr.close()
    return answer or ("AccessDeniedException", "after 30 seconds")


def _settled(answer: tuple[str, str]) -> tuple[str, str] | None:
    return None if answer[0] == "AccessDeniedException" else answer


STEP: Final = Step(
    name="06-keys",
    title="Repositories with a customer's key",
    how="creates a repository as a role without and as one with rights in KMS",
    makes="a KMS key, which is deleted after 7 days, two roles, two repositories",
    dollars=0.05,
    budget=timedelta(minutes=5),
    beliefs=(WITHOUT, WITH),
    do=_do,
    only_on_aws="its ECR asks no KMS",
)
