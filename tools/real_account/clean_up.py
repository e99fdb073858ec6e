"""Delete what a journal says was made, each kind in its way. What is gone already is no error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from real_account.journal import Made
from real_account.run import Run
from real_account.stacks import delete_kept, delete_stack, is_gone

LONGEST: Final = timedelta(minutes=40)


def clean_up(run: Run, keep: Iterable[str] = (), say: Callable[[str], object] = print) -> tuple[str, ...]:
    """Delete all but what `keep` names; what could not be deleted, with the reason."""
    kept, left = frozenset(keep), []
    run.pace.deadline = run.pace.now() + LONGEST
    for made in run.journal.left():
        if made.name in kept:
            continue
        try:
            _DELETIONS[made.kind](run, made)
        except Exception as error:
            if not is_gone(error):
                left.append(f"{made.kind} {made.name} in {made.region}: {error}")
                continue
        run.journal.gone(made)
        say(f"deleted: {made.kind} {made.name}")
    return tuple(left)


def _repository(run: Run, made: Made) -> None:
    run.client("ecr", made.region).delete_repository(repositoryName=made.name, force=True)


def _role(run: Run, made: Made) -> None:
    iam = run.client("iam")
    for policy in iam.list_role_policies(RoleName=made.name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=made.name, PolicyName=policy)
    iam.delete_role(RoleName=made.name)


def _queue(run: Run, made: Made) -> None:
    sqs = run.client("sqs", made.region)
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=made.name)["QueueUrl"])


def _topic(run: Run, made: Made) -> None:
    sns = run.client("sns", made.region)
    topic = f"arn:{run.partition}:sns:{made.region}:{run.account}:{made.name}"
    for subscription in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sns.delete_topic(TopicArn=topic)


def _bus(run: Run, made: Made) -> None:
    run.client("events", made.region).delete_event_bus(Name=made.name)


def _rule(run: Run, made: Made) -> None:
    events, where = run.client("events", made.region), {"EventBusName": made.facts["bus"]}
    targets = [one["Id"] for one in events.list_targets_by_rule(Rule=made.name, **where)["Targets"]]
    if targets:
        events.remove_targets(Rule=made.name, Ids=targets, **where)
    events.delete_rule(Name=made.name, **where)


def _creation_template(run: Run, made: Made) -> None:
    run.client("ecr", made.region).delete_repository_creation_template(prefix=made.name)


def _registry_scanning(run: Run, made: Made) -> None:
    before = made.facts["before"]
    run.client("ecr", made.region).put_registry_scanning_configuration(
        scanType=before.get("scanType", "BASIC"), rules=before.get("rules", [])
    )


def _key(run: Run, made: Made) -> None:
    kms = run.client("kms", made.region)
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            found = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if found.get("Description") == made.name and found["KeyState"] != "PendingDeletion":
                kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)


def _suites(run: Run, made: Made) -> None:
    """What a killed contract suite left: all that it makes has this prefix."""
    for region in made.facts["regions"]:
        ecr = run.client("ecr", region)
        for page in ecr.get_paginator("describe_repositories").paginate():
            for repository in page["repositories"]:
                if repository["repositoryName"].startswith(made.name):
                    ecr.delete_repository(repositoryName=repository["repositoryName"], force=True)
        for page in ecr.get_paginator("describe_repository_creation_templates").paginate():
            for template in page["repositoryCreationTemplates"]:
                if template["prefix"].startswith(made.name):
                    ecr.delete_repository_creation_template(prefix=template["prefix"])
        for principal in ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"]:
            if f"role/{made.name}" in principal:
                ecr.deregister_pull_time_update_exclusion(principalArn=principal)
    for page in run.client("iam").get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"].startswith(made.name):
                _role(run, Made("role", role["RoleName"], made.region, {}))


def _login(_: Run, made: Made) -> None:
    Path(made.facts["file"]).unlink()


_DELETIONS: Final[Mapping[str, Callable[[Run, Made], Any]]] = {
    "bus": _bus,
    "creation template": _creation_template,
    "kept": lambda run, made: delete_kept(run, made.facts["resources"]),
    "key": _key,
    "login": _login,
    "queue": _queue,
    "registry scanning": _registry_scanning,
    "repository": _repository,
    "role": _role,
    "rule": _rule,
    "stack": delete_stack,
    "suites": _suites,
    "topic": _topic,
}
"""By kind; a step that makes another kind adds how it is deleted."""

KINDS: Final = frozenset(_DELETIONS)
