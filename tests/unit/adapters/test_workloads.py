"""What moto's ECS and Lambda do not show: digests that tasks pulled, failures in replies, and errors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.connected_accounts import NO_ACCOUNTS, NamedAccounts
from ecr_steward.adapters.memory import InMemoryRevisions
from ecr_steward.adapters.workloads import FRESH, READ_WITHIN, AwsWorkloads
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import (
    AccessDeniedError,
    OutOfTimeError,
    RefusedByRegistryError,
    StewardError,
    WorkloadsUnreadError,
)
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
    return AwsWorkloads(clients, HOME.account, NO_ACCOUNTS, clock)


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


def test_only_the_latest_revision_of_a_family_is_described_and_those_that_run(
    workloads: AwsWorkloads, ecs: Stubber
) -> None:
    """attacks L2."""
    family = DEFINITION.removesuffix(":7")
    arns = [f"{family}:{revision}" for revision in (9, 10, 8, 100, 99)]
    ecs.add_response("list_task_definitions", {"taskDefinitionArns": arns}, {"status": "ACTIVE"})
    ecs.add_response("list_clusters", {"clusterArns": [CLUSTER]})
    ecs.add_response("list_services", {"serviceArns": ["api"]})
    ecs.add_response("describe_services", {"services": [{"taskDefinition": DEFINITION}]})
    ecs.add_response("list_tasks", {"taskArns": []})
    for arn in (f"{family}:100", DEFINITION):
        tag = arn.rpartition(":")[2]
        containers = {"containerDefinitions": [{"image": f"{REPOSITORY}:{tag}"}]}
        ecs.add_response("describe_task_definition", {"taskDefinition": containers}, {"taskDefinition": arn})

    assert [image.image_tag for image in workloads.run_by_ecs("us-east-1")] == ["100", "7"]
    ecs.assert_no_pending_responses()


def test_an_account_that_needs_too_long_is_not_known_and_the_next_look_goes_on_where_this_one_ended(
    workloads: AwsWorkloads, ecs: Stubber, clock: SettableClock, clients: AwsClients
) -> None:
    """attacks L2."""
    arns = [f"arn:aws:ecs:us-east-1:123456789012:task-definition/app-{number}:1" for number in range(3)]
    listed = [("list_task_definitions", {"taskDefinitionArns": arns}), ("list_clusters", {"clusterArns": []})]
    described = {"taskDefinition": {"containerDefinitions": [{"image": f"{REPOSITORY}:1.4.2"}]}}
    for operation, answered in [*listed, *[("describe_task_definition", described)] * 2, *listed]:
        ecs.add_response(operation, answered)
    ecs.add_response("describe_task_definition", described, {"taskDefinition": arns[2]})

    def take_long(**_: object) -> None:
        clock.now += READ_WITHIN * 0.6

    clients.ecs(HOME).meta.events.register("before-parameter-build.ecs.DescribeTaskDefinition", take_long)

    with pytest.raises(WorkloadsUnreadError, match="within 60 s: 2 of 3 task definitions were"):
        workloads.run_by_ecs("us-east-1")
    clock.now += FRESH + timedelta(seconds=1)
    assert len(workloads.run_by_ecs("us-east-1")) == 3
    ecs.assert_no_pending_responses()


def test_each_account_is_read_by_a_thread_of_its_own(clients: AwsClients, clock: SettableClock) -> None:
    """attacks L2: an account that does not answer keeps no other one waiting."""
    both = Barrier(2, timeout=30)

    class Meeting(AwsWorkloads):
        def _of_ecs(self, place: Any) -> Iterator[UsedImage]:
            both.wait()
            yield UsedImage(RepositoryRef(place.registry, "team-a/api"), str(place))

    found = Meeting(clients, "111122223333", NamedAccounts(frozenset({"222233334444"})), clock).run_by_ecs("us-east-1")

    assert [image.by for image in found] == ["111122223333/us-east-1", "222233334444/us-east-1"]


def test_a_version_of_a_function_is_read_again_only_when_it_has_changed(
    workloads: AwsWorkloads, functions: Stubber, clock: SettableClock
) -> None:
    """attacks L2."""
    for sha, tag in (("a", "1.4.2"), ("a", None), ("b", "1.4.3")):
        functions.add_response("list_functions", {"Functions": [{**LISTED, "CodeSha256": sha}]})
        if tag:
            functions.add_response("get_function", {"Code": {"ImageUri": f"{REPOSITORY}:{tag}"}})

    tags = []
    for _ in range(3):
        tags += [image.image_tag for image in workloads.run_by_lambda("us-east-1")]
        clock.now += FRESH + timedelta(seconds=1)

    assert tags == ["1.4.2", "1.4.2", "1.4.3"]


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


def test_a_revision_is_not_described_by_another_process_when_one_has_described_it(
    clients: AwsClients, clock: SettableClock, ecs: Stubber
) -> None:
    revisions = InMemoryRevisions()
    answer(ecs)
    first = AwsWorkloads(clients, HOME.account, NO_ACCOUNTS, clock, revisions).run_by_ecs("us-east-1")
    ecs.assert_no_pending_responses()
    for operation, again in {
        "list_task_definitions": {"taskDefinitionArns": [DEFINITION]},
        "list_clusters": {"clusterArns": []},
    }.items():
        ecs.add_response(operation, again)

    second = AwsWorkloads(clients, HOME.account, NO_ACCOUNTS, clock, revisions).run_by_ecs("us-east-1")

    assert [image.image_tag for image in second] == ["1.4.2"]
    assert second[0] in first


def test_the_next_invocation_asks_again_when_one_had_no_time_left(
    workloads: AwsWorkloads, ecs: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(*_: object, **__: object) -> None:
        raise OutOfTimeError("the time of this invocation is over")

    with monkeypatch.context() as short:
        short.setattr("ecr_steward.adapters.workloads.all_pages", over)
        with pytest.raises(OutOfTimeError):
            workloads.run_by_ecs("us-east-1")
    answer(ecs)

    assert workloads.run_by_ecs("us-east-1")
