"""Act 10: images reach a second account under another name, its pushes are governed, and its failure is its own."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

from ecr_steward_sandbox.demo.acts.replication import check_content, check_replica
from ecr_steward_sandbox.demo.acts.scans import REPOSITORY
from ecr_steward_sandbox.demo.stage import SPOKE, Stage

TITLE = "A second account"
ABOUT = (
    f"Account {SPOKE} has the stack of spoke.yaml: its events come to the hub's bus, and the hub's functions act there "
    "as a role that asks for an external id. What goes wrong in one account does not stop the others."
)
RELEASE = f"release/{REPOSITORY}"

_GOVERNED = "team-b/app"
_ROLE = "ecr-steward-spoke"
_DESTINATION = {"account": SPOKE, "repository": "release/{name}"}


def play(stage: Stage) -> None:
    """Copy into the second account, push there, then lose its role and get it back."""
    stage.deploy_rulebook(
        "let the rule payments copy the hub's images to account two as well",
        {"match": {"accounts": [stage.sandbox.account]}, "to": [_DESTINATION]},
        partial(_add_the_destination, stage.sandbox.account),
    )
    released = stage.push("1.1.0", REPOSITORY, "1.1.0")
    stage.settle()
    stage.tell("replicate_image")
    check_replica(stage, stage.spoke, RELEASE, [released], source=REPOSITORY)
    check_content(stage, stage.spoke, RELEASE, released)
    stage.close()

    stage.narrator.did(f"somebody in account {SPOKE} creates {_GOVERNED} and pushes 3.2.1")
    stage.spoke.ecr.create_repository(repositoryName=_GOVERNED)
    theirs = stage.release("3.2.1")
    stage.spoke.push(stage.layout, theirs, _GOVERNED, "3.2.1")
    stage.settle()
    stage.tell("apply_repository_policies", "enforce_image_tags")
    governed = dict.fromkeys(("3.2.1", "3.2-latest", "3-latest"), str(theirs.index.digest))
    stage.check_equal("the hub gave it the aliases", stage.spoke.tags(_GOVERNED), governed)
    (described,) = stage.spoke.ecr.describe_repositories(repositoryNames=[_GOVERNED])["repositories"]
    stage.check_equal("and its settings", described["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION")
    stage.close()

    agreed = _ask_for_another_external_id(stage)
    _copy_without_the_role(stage)
    stage.narrator.did(f"somebody in account {SPOKE} removes the alias 3-latest by hand", "nobody may mend it now")
    stage.spoke.ecr.batch_delete_image(repositoryName=_GOVERNED, imageIds=[{"imageTag": "3-latest"}])
    stage.settle()
    stage.check("it is gone", "3-latest" not in stage.spoke.tags(_GOVERNED))
    stage.narrator.did(f"account {SPOKE} asks for the agreed external id again")
    stage.sandbox.client("iam", account=SPOKE).update_assume_role_policy(RoleName=_ROLE, PolicyDocument=agreed)
    stage.sweep()
    stage.tell("reconcile_registry", "replicate_image")
    releases = [stage.release(version) for version in ("1.0.0", "1.1.0", "1.2.0")]
    check_replica(stage, stage.spoke, RELEASE, releases, source=REPOSITORY)
    stage.check_equal("the sweep put the alias back", stage.spoke.tags(_GOVERNED), governed)
    stage.check_nothing_is_left()


def _ask_for_another_external_id(stage: Stage) -> str:
    """Break the trust of the role; answers what it was."""
    iam = stage.sandbox.client("iam", account=SPOKE)
    agreed = iam.get_role(RoleName=_ROLE)["Role"]["AssumeRolePolicyDocument"]
    broken = json.loads(json.dumps(agreed))
    broken["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "another"
    stage.narrator.did(f"account {SPOKE} asks for another external id")
    iam.update_assume_role_policy(RoleName=_ROLE, PolicyDocument=json.dumps(broken))
    stage.move_clock(timedelta(hours=2), "the sessions that the hub has there have ended")
    stage.close()
    return json.dumps(agreed)


def _copy_without_the_role(stage: Stage) -> None:
    pushed = stage.push("1.2.0", REPOSITORY, "1.2.0")
    stage.settle()
    stage.tell("replicate_image")
    releases = [stage.release(version) for version in ("1.0.0", "1.1.0", "1.2.0")]
    check_replica(stage, stage.away, REPOSITORY, releases)
    stage.check("account two did not get it", str(pushed.index.digest) not in stage.spoke.digests(RELEASE))
    failed = {(message.get("error"), SPOKE in str(message.get("message"))) for message in stage.drain("FailureQueue")}
    stage.check("the failure queue says whose role let nobody in", ("RoleNotAssumableError", True) in failed, failed)
    stage.close()


def _add_the_destination(source: str, rulebook: dict[str, Any]) -> None:
    (payments,) = (rule for rule in rulebook["rules"] if rule["name"] == "payments")
    payments["match"]["accounts"] = [source]
    payments["replicate"][0]["to"].insert(0, _DESTINATION)  # first: its failure must not keep the other waiting
