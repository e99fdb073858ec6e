"""What moto's ECS and Lambda do not show: digests that tasks pulled, failures in replies, and errors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.workloads import FRESH, AwsWorkloads
from ecr_steward.domain.names import Digest, RegistryRef
from ecr_steward.errors import AccessDeniedError, RefusedByRegistryError, StewardError
from lab.clock import SettableClock
from tests.given import aws

HOME = RegistryRef("123456789012", "us-east-1")
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team-a/api"
CLUSTER, TASK = "arn:aws:ecs:us-east-1:123456789012:cluster/prod", "arn:aws:ecs:us-east-1:123456789012:task/prod/77"
DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/api:7"
DIGEST = f"sha256:{'a' * 64}"
LISTED: Any = {
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:resize:3",
    "FunctionName": "resize",
    "Version": "3",
    "PackageType": "Image",
}


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 26, 12, tzinfo=UTC))


@pytest.fixture
def clients() -> AwsClients:
    return aws.clients("key")


@pytest.fixture
def workloads(clients: AwsClients, clock: SettableClock) -> AwsWorkloads:
    return AwsWorkloads(clients, [HOME.account], clock)


@pytest.fixture
def ecs(clients: AwsClients) -> Iterator[Stubber]:
    with Stubber(clients.ecs(HOME)) as stubber:
        yield stubber


@pytest.fixture
def functions(clients: AwsClients) -> Iterator[Stubber]:
    with Stubber(clients.lambda_(HOME)) as stubber:
        yield stubber


def answer(ecs: Stubber, **answers: Any) -> None:
    """One cluster with one task of one active revision, but for what is said otherwise."""
    container = {"name": "api", "image": f"{REPOSITORY}:1.4.2"}
    usual: dict[str, Any] = {
        "list_task_definitions": {"taskDefinitionArns": [DEFINITION]},
        "list_clusters": {"clusterArns": [CLUSTER]},
        "list_services": {"serviceArns": []},
        "list_tasks": {"taskArns": [TASK]},
        "describe_tasks": {
            "tasks": [
                {
                    "taskArn": TASK,
                    "taskDefinitionArn": DEFINITION,
                    "containers": [{**container, "imageDigest": DIGEST}],
                }
            ]
        },
        "describe_task_definition": {"taskDefinition": {"containerDefinitions": [container]}},
    }
    for operation, usually in usual.items():
        ecs.add_response(operation, answers.get(operation, usually))


def test_a_task_uses_the_digest_that_it_pulled_although_its_tag_has_moved(
    workloads: AwsWorkloads, ecs: Stubber
) -> None:
    answer(ecs)

    used = {(image.by, image.digest or image.image_tag) for image in workloads.run_by_ecs("us-east-1")}

    assert used == {
        ("the task 77 of ECS in 123456789012/us-east-1", Digest(DIGEST)),
        ("the task definition api:7 of ECS in 123456789012/us-east-1", "1.4.2"),
    }


def test_a_task_that_has_ended_since_it_was_listed_is_no_failure(workloads: AwsWorkloads, ecs: Stubber) -> None:
    answer(ecs, describe_tasks={"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]})

    assert [image.image_tag for image in workloads.run_by_ecs("us-east-1")] == ["1.4.2"]


def test_nothing_is_told_when_a_task_could_not_be_described(workloads: AwsWorkloads, ecs: Stubber) -> None:
    failures = [{"arn": TASK, "reason": "BROKEN", "detail": "in its own words"}]
    answer(ecs, describe_tasks={"tasks": [], "failures": failures})

    with pytest.raises(RefusedByRegistryError, match=r"ecs:DescribeTasks on .*task/prod/77: BROKEN: in its own words"):
        workloads.run_by_ecs("us-east-1")


def test_nothing_is_told_and_nobody_asked_again_at_once_when_a_source_denies(
    workloads: AwsWorkloads, ecs: Stubber, clock: SettableClock
) -> None:
    ecs.add_client_error("list_task_definitions", "AccessDeniedException", "no")
    for _ in range(2):
        with pytest.raises(AccessDeniedError, match="Allow ecs:ListTaskDefinitions on 123456789012/us-east-1"):
            workloads.run_by_ecs("us-east-1")

    clock.now += FRESH + timedelta(seconds=1)
    answer(ecs)
    assert len(workloads.run_by_ecs("us-east-1")) == 2


def test_a_revision_is_described_once_however_often_ecs_is_asked(
    workloads: AwsWorkloads, ecs: Stubber, clock: SettableClock
) -> None:
    answer(ecs)
    first = workloads.run_by_ecs("us-east-1")
    assert workloads.run_by_ecs("us-east-1") == first

    clock.now += FRESH + timedelta(seconds=1)
    for operation, answered in {
        "list_task_definitions": {"taskDefinitionArns": [DEFINITION]},
        "list_clusters": {"clusterArns": []},
    }.items():
        ecs.add_response(operation, answered)

    assert [image.image_tag for image in workloads.run_by_ecs("us-east-1")] == ["1.4.2"]
    ecs.assert_no_pending_responses()


def test_a_function_uses_its_tag_and_the_digest_that_it_resolved(workloads: AwsWorkloads, functions: Stubber) -> None:
    listed = [LISTED, {**LISTED, "PackageType": "Zip"}]
    code = {"ImageUri": f"{REPOSITORY}:1.4.2", "ResolvedImageUri": f"{REPOSITORY}@{DIGEST}"}
    functions.add_response("list_functions", {"Functions": listed}, {"FunctionVersion": "ALL"})
    functions.add_response("get_function", {"Code": code}, {"FunctionName": "resize", "Qualifier": "3"})

    used = workloads.run_by_lambda("us-east-1")

    assert [image.image_tag or image.digest for image in used] == ["1.4.2", Digest(DIGEST)]
    assert {image.by for image in used} == {"the function resize:3 of Lambda in 123456789012/us-east-1"}


def test_a_function_that_is_gone_since_it_was_listed_uses_nothing(workloads: AwsWorkloads, functions: Stubber) -> None:
    functions.add_response("list_functions", {"Functions": [LISTED]})
    functions.add_client_error("get_function", "ResourceNotFoundException", "gone")

    assert workloads.run_by_lambda("us-east-1") == ()


def test_nothing_is_told_of_functions_when_one_could_not_be_read(workloads: AwsWorkloads, functions: Stubber) -> None:
    functions.add_response("list_functions", {"Functions": [LISTED]})
    functions.add_client_error("get_function", "ServiceException", "no")

    with pytest.raises(StewardError, match="lambda:GetFunction"):
        workloads.run_by_lambda("us-east-1")
