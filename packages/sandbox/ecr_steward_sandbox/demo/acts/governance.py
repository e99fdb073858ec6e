"""Act 1: a repository gets its settings, from the event of its creation or from its first push."""

import json
from typing import Any

from botocore.exceptions import ClientError

from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.stage import REPOSITORY, Stage

TITLE = "A repository is created and gets its settings"
ABOUT = (
    "ECR has no event for a new repository; CloudTrail has. Without a trail, the first push announces it. "
    "What a function changes is an event, too: it runs again, and finds nothing left to do."
)

_UNANNOUNCED = "team-a/worker"


def play(stage: Stage) -> None:
    """Create one repository with a trail and one without."""
    stage.check_equal("eu-west-1 has no repository yet", stage.away.ecr.describe_repositories()["repositories"], [])
    stage.narrator.did(f"create the repository {REPOSITORY} with boto3")
    stage.home.ecr.create_repository(repositoryName=REPOSITORY)
    stage.settle()
    stage.tell("apply_repository_policies")
    check_settings(stage, stage.home, REPOSITORY)
    stage.close()

    stage.narrator.did(f"create {_UNANNOUNCED} in a registry without a trail", "no event says so")
    stage.sandbox.local_ecr.trail = False
    stage.home.ecr.create_repository(repositoryName=_UNANNOUNCED)
    stage.settle()
    stage.check("no function heard of it", len(stage.sandbox.invocations) == stage.told)
    stage.push("0.1.0", _UNANNOUNCED, "0.1.0")
    stage.settle()
    stage.tell("apply_repository_policies")
    check_settings(stage, stage.home, _UNANNOUNCED)
    stage.sandbox.local_ecr.trail = True


def check_settings(stage: Stage, user: User, repository: str) -> None:
    """Check the five settings of a repository against what the example rulebook says, spelled out here."""
    found = _read_settings(user, repository)
    where = f"{repository} in {user.region}"
    (statement,) = (found["policy"] or {"Statement": [{}]})["Statement"]
    account = stage.sandbox.account
    stage.check_equal(
        f"{where}: this account may pull",
        (statement.get("Principal"), sorted(statement.get("Action", []))),
        (
            {"AWS": f"arn:aws:iam::{account}:root"},
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        ),
    )
    selections = [rule["selection"] for rule in (found["lifecycle"] or {"rules": []})["rules"]]
    stage.check_equal(
        f"{where}: the newest 30 versions are kept, untagged images expire after 14 days",
        [(s["tagStatus"], s.get("tagPatternList"), s["countType"], s["countNumber"]) for s in selections],
        [("tagged", ["*.*.*"], "imageCountMoreThan", 30), ("untagged", None, "sinceImagePushed", 14)],
    )
    stage.check_equal(
        f"{where}: image tags are immutable except *-latest",
        (found["mutability"], found["exclusions"]),
        ("IMMUTABLE_WITH_EXCLUSION", ["*-latest"]),
    )
    stage.check_equal(f"{where}: images are scanned on push", found["scan_on_push"], True)
    stage.check_equal(f"{where}: it is tagged managed-by=ecr-steward", found["tags"].get("managed-by"), "ecr-steward")


def _read_settings(user: User, repository: str) -> dict[str, Any]:
    (described,) = user.ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    tags = user.ecr.list_tags_for_resource(resourceArn=described["repositoryArn"])["tags"]
    return {
        "policy": _document(user.ecr.get_repository_policy, repository, "policyText"),
        "lifecycle": _document(user.ecr.get_lifecycle_policy, repository, "lifecyclePolicyText"),
        "mutability": described["imageTagMutability"],
        "exclusions": [f["filter"] for f in described.get("imageTagMutabilityExclusionFilters", [])],
        "scan_on_push": described["imageScanningConfiguration"]["scanOnPush"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _document(read: Any, repository: str, key: str) -> Any:
    try:
        return json.loads(read(repositoryName=repository)[key])
    except ClientError as error:
        if error.response["Error"]["Code"] in {"RepositoryPolicyNotFoundException", "LifecyclePolicyNotFoundException"}:
            return None
        raise
