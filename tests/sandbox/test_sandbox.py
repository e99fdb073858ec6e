"""A sandbox from start to end: one at a time, and nothing is left of it."""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.deployed import UnsupportedWiringError
from ecr_steward_sandbox.deploy import Aws
from ecr_steward_sandbox.deploy.errors import BuildError
from ecr_steward_sandbox.sandbox import Sandbox, SandboxInUseError
from local_ecr.names import InvalidNameError
from tests.given import aws

CALLS_BACK = """
    import json, os, urllib.request
    def lambda_handler(event, context):
        return {name: os.environ.get(name) for name in (
            "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "QUEUE_URL"
        )}
"""


def descendants() -> set[int]:
    """Process ids of all children of this process, and theirs."""
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[1]) == os.getpid():
            found.add(int(path.parent.name))
    return found


def open_sockets() -> set[str]:
    """The sockets that this process has open, each by the kernel's name for it."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile, as the descriptor that lists the folder is
            found.add(str(entry.readlink()))
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_nothing_is_left_when_the_sandbox_ends(
    template: Any,
    nothing_left: None,
    wait_until: Callable[[Callable[[], object]], None],
    error: type[BaseException] | None,
) -> None:
    template.function("Sleeps", "import time\ndef lambda_handler(event, context): time.sleep(60)", Timeout=90)
    build = template.write()
    processes, sockets = descendants(), open_sockets()

    def use() -> None:
        with Sandbox(build) as sandbox:
            name = sandbox.deployment.resources["Sleeps"].physical_id
            sandbox.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
            wait_until(lambda: sandbox.engine.invocations.pids)
            if error is not None:
                raise error

    if error is None:
        use()
    else:
        with pytest.raises(error):
            use()

    assert descendants() == processes
    assert open_sockets() - sockets == set()


def test_state_is_new_when_a_second_sandbox_follows(template: Any) -> None:
    template.queue("Jobs")
    build = template.write()
    Aws("111122223333", "us-east-1").client("sqs").create_queue(QueueName="of-somebody-else")

    with Sandbox(build) as first:
        assert len(first.client("sqs").list_queues()["QueueUrls"]) == 1
        first.client("sqs").create_queue(QueueName="extra")
        first.client("ecr").create_repository(repositoryName="team/api")
    with Sandbox(build) as second:
        assert len(second.client("sqs").list_queues()["QueueUrls"]) == 1
        assert second.client("ecr").describe_repositories()["repositories"] == []


def test_second_sandbox_is_refused_when_one_runs_in_the_process(template: Any) -> None:
    template.queue("Jobs")
    build = template.write()

    with Sandbox(build), pytest.raises(SandboxInUseError, match="one sandbox at a time"):
        Sandbox(build).__enter__()
    with Sandbox(build):
        pass


def test_build_is_asked_for_when_there_is_none(tmp_path: Path, nothing_left: None) -> None:
    with pytest.raises(BuildError, match="does not exist"):
        Sandbox(tmp_path / "nothing").__enter__()


def test_folder_is_free_again_when_the_start_fails(template: Any, tmp_path: Path, nothing_left: None) -> None:
    template.queue("Jobs")
    build = template.write()

    for _ in range(2):  # the second time it would be somebody else's folder
        with pytest.raises(InvalidNameError, match="nowhere"):
            Sandbox(build, data=tmp_path / "data", regions=("us-east-1", "nowhere")).__enter__()


def test_start_is_refused_when_a_policy_cannot_be_evaluated(template: Any, nothing_left: None) -> None:
    condition = {"StringEquals": {"aws:TagKeys": "team"}}
    template.function("Late", CALLS_BACK, Policies=[template.allow("sqs:SendMessage", "*", Condition=condition)])

    with pytest.raises(UnsupportedWiringError, match=r"a policy of arn:aws:iam::.*: aws:TagKeys has several"):
        Sandbox(template.write()).__enter__()


def test_function_reaches_the_sandbox_as_its_own_role_when_it_calls_aws(template: Any, run: Callable[..., Any]) -> None:
    template.queue("Jobs")
    template.function(
        "Caller",
        CALLS_BACK,
        Environment={"Variables": {"QUEUE_URL": template.ref("Jobs")}},
        Policies=[template.allow(["sqs:SendMessage", "ecr:DescribeRepositories"], "*")],
    )
    box = run()
    answer = box.sandbox.client("lambda").invoke(FunctionName=box.arn("Caller"), Payload=b"{}")
    seen = json.loads(answer["Payload"].read())

    # With what the function has, and nothing else: boto3 itself is no part of this tiny function.
    clients: dict[str, Any] = {name: aws.client(name, seen, seen["AWS_ENDPOINT_URL"]) for name in ("sts", "sqs", "ecr")}
    identity = clients["sts"].get_caller_identity()
    # The address that the template resolves to names sqs.us-east-1.amazonaws.com; the request must not go there.
    clients["sqs"].send_message(QueueUrl=seen["QUEUE_URL"], MessageBody='"hello"')
    clients["ecr"].describe_repositories()
    for client in clients.values():
        client.close()

    role = box.sandbox.engine.wiring.function(box.arn("Caller")).role_arn.rsplit("/", 1)[1]
    name = box.sandbox.deployment.resources["Caller"].physical_id
    assert identity["Account"] == "111122223333"
    assert identity["Arn"] == f"arn:aws:sts::111122223333:assumed-role/{role}/{name}"
    assert [message["body"] for message in box.messages("Jobs")] == ["hello"]
    sent = next(one for one in box.sandbox.requests.entries() if one.operation == "SendMessage")
    assert (sent.service, sent.mutating, sent.principal, sent.status) == ("sqs", True, identity["Arn"], 200)
    assert box.sandbox.local_ecr.requests.entries()[-1].principal == identity["Arn"]


def test_role_is_denied_when_its_policies_do_not_allow_putting_events(template: Any, run: Callable[..., Any]) -> None:
    template.add("Bus", "AWS::Events::EventBus", Name="own")
    policy = template.allow("events:PutEvents", template.arn("Bus"))
    template.function("Allowed", CALLS_BACK, Policies=[policy])
    template.function("Denied", CALLS_BACK)
    box = run()
    entry = {"Source": "shop", "DetailType": "Sold", "Detail": "{}", "EventBusName": "own"}

    def put_as(function: str) -> Any:
        answer = box.sandbox.client("lambda").invoke(FunctionName=box.arn(function), Payload=b"{}")
        seen = json.loads(answer["Payload"].read())
        client = aws.client("events", seen, seen["AWS_ENDPOINT_URL"])
        try:
            return client.put_events(Entries=[entry])
        finally:
            client.close()

    assert put_as("Allowed")["FailedEntryCount"] == 0
    with pytest.raises(Exception, match="is not authorized to perform: events:PutEvents on resource") as refused:
        put_as("Denied")
    assert type(refused.value).__name__ == "AccessDeniedException"
    assert len(box.sandbox.events) == 1


def test_created_repository_is_announced_on_the_default_bus_when_there_is_a_trail(
    run: Callable[..., Any], template: Any
) -> None:
    template.queue("Jobs")
    box = run()
    ecr = box.sandbox.client("ecr")

    ecr.create_repository(repositoryName="team/api")
    box.sandbox.local_ecr.trail = False
    ecr.create_repository(repositoryName="team/web")
    box.sandbox.wait_until_idle(5)

    assert [(one.bus_arn, one.event["detail"]["eventName"]) for one in box.sandbox.events] == [
        ("arn:aws:events:us-east-1:111122223333:event-bus/default", "CreateRepository")
    ]


def test_registry_of_each_region_has_a_port_when_running(run: Callable[..., Any], template: Any) -> None:
    template.queue("Jobs")
    box = run(regions=("us-east-1", "eu-west-1", "eu-central-1"))

    urls = {region: box.sandbox.registry_url(region) for region in box.sandbox.regions}

    assert len(set(urls.values())) == 3
    for region, url in urls.items():
        token = box.sandbox.client("ecr", region).get_authorization_token()["authorizationData"][0]
        assert token["proxyEndpoint"] == url


def test_long_poll_does_not_hold_up_others_when_it_waits(
    run: Callable[..., Any], template: Any, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    template.queue("Jobs")
    box = run()
    received: list[Any] = []

    def wait_for_message() -> None:
        sqs = box.sandbox.client("sqs", "us-east-1")
        received.append(sqs.receive_message(QueueUrl=box.url("Jobs"), WaitTimeSeconds=15))

    box.sandbox.client("sqs")
    thread = threading.Thread(target=wait_for_message)
    thread.start()
    wait_until(lambda: any(one.name.startswith("AnyIO") for one in threading.enumerate()))
    box.send("Jobs", '"late"')
    thread.join(10)

    assert [message["Body"] for message in received[0]["Messages"]] == ['"late"']
