"""Step 11: delete the stack, look at what stays, and deploy it again under the same name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run, listed
from real_account.stacks import remove_stack, stack_of
from real_account.step import NotLookedAtError, Step
from real_account.steps.deploying import NO_STACK, STACK, deploy, write_config

_TEMPLATE: Final = "template.yaml: DeletionPolicy and RetentionPolicy"
STAYS: Final = Belief(
    "delete-keeps",
    "a deleted stack leaves its state table, its log groups and its Lambda layers, and nothing else",
    _TEMPLATE,
    "AWS::DynamoDB::Table, AWS::Lambda::LayerVersion, AWS::Logs::LogGroup",
)
AGAIN: Final = Belief(
    "deploy-after-delete", "the stack can be deployed again under the same name", _TEMPLATE, "CREATE_COMPLETE"
)


def _do(run: Run) -> Iterator[Observation]:
    name = run.name(STACK)
    if stack_of(run, name) is None:
        raise NotLookedAtError("there is no stack: the first step has made none")
    kept = remove_stack(run, name, 900)
    run.making(
        "kept", name, resources=[{key: one[key] for key in ("PhysicalResourceId", "ResourceType")} for one in kept]
    )
    yield Observation(STAYS, listed(sorted({one["ResourceType"] for one in kept})), f"{len(kept)} resources")
    write_config(run)
    code = deploy(run, "\n" * 60)
    status = (stack_of(run, name) or {}).get("StackStatus", "no stack")
    yield Observation(AGAIN, status, f"exit code {code}")


STEP: Final = Step(
    name="11-leave",
    title="Delete the stack and deploy it again",
    how="deletes the stack, lists what CloudFormation skipped, deploys anew",
    makes="the stack of the first step once more",
    dollars=0.1,
    budget=timedelta(minutes=25),
    beliefs=(STAYS, AGAIN),
    do=_do,
    only_on_aws=NO_STACK,
)
