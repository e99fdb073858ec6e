"""Built folders with tiny functions, as `sam build` would leave them, and sandboxes that run them."""

import contextlib
import json
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from ecr_steward_sandbox.sandbox import Sandbox
from tests.given import aws

ECHO = """
    def lambda_handler(event, context):
        return event
"""


class Template:
    """Writes a built folder, resource by resource."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resources: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.code: dict[str, str] = {}
        self.layers: dict[str, Mapping[str, str]] = {}

    def add(self, logical_id: str, type_: str, **properties: Any) -> None:
        """Any resource."""
        self.resources[logical_id] = {"Type": type_, "Properties": properties}

    def function(self, logical_id: str, code: str = ECHO, **properties: Any) -> None:
        """A function whose app.py is `code`."""
        self.code[logical_id] = code
        given = {"Runtime": "python3.13", "Handler": "app.lambda_handler", "Timeout": 5, "CodeUri": logical_id}
        self.add(logical_id, "AWS::Serverless::Function", **{**given, **properties})

    def layer(self, logical_id: str, files: Mapping[str, str]) -> None:
        """A Lambda layer of text files, by path."""
        self.layers[logical_id] = files
        self.add(logical_id, "AWS::Serverless::LayerVersion", ContentUri=logical_id, CompatibleRuntimes=["python3.13"])

    def queue(self, logical_id: str, *writers: str, **properties: Any) -> None:
        """A queue that the rules named as writers may write to."""
        self.add(logical_id, "AWS::SQS::Queue", **properties)
        if writers:
            self.add(
                f"{logical_id}Policy",
                "AWS::SQS::QueuePolicy",
                Queues=[self.ref(logical_id)],
                PolicyDocument=self.allow(
                    "sqs:SendMessage",
                    self.arn(logical_id),
                    Principal={"Service": "events.amazonaws.com"},
                    Condition={"ArnEquals": {"aws:SourceArn": [self.arn(writer) for writer in writers]}},
                ),
            )

    def rule(self, logical_id: str, target: Any, *, bus: str = "Bus", **properties: Any) -> None:
        """A rule for the detail-type of its own name, with one target: an ARN, or a whole target."""
        one = target if "Arn" in target else {"Arn": target}
        given = {
            "EventBusName": self.ref(bus) if bus != "default" else bus,
            "EventPattern": {"detail-type": [logical_id]},
            "Targets": [{"Id": "Target", **one}],
        }
        self.add(logical_id, "AWS::Events::Rule", **{**given, **properties})

    def role(self, logical_id: str, service: str, action: str, resource: Any) -> None:
        """A role that a service may assume for one action."""
        trust = self.allow("sts:AssumeRole", None, Principal={"Service": service})
        policy = {"PolicyName": "only", "PolicyDocument": self.allow(action, resource)}
        self.add(logical_id, "AWS::IAM::Role", AssumeRolePolicyDocument=trust, Policies=[policy])

    @staticmethod
    def ref(logical_id: str) -> dict[str, str]:
        """The Ref intrinsic."""
        return {"Ref": logical_id}

    @staticmethod
    def arn(logical_id: str) -> dict[str, list[str]]:
        """The ARN of a resource."""
        return {"Fn::GetAtt": [logical_id, "Arn"]}

    @staticmethod
    def allow(action: str | list[str], resource: Any, **elements: Any) -> dict[str, Any]:
        """A policy of one statement."""
        statement = {"Effect": "Allow", "Action": action, **elements}
        if resource is not None:
            statement["Resource"] = resource
        return {"Version": "2012-10-17", "Statement": [statement]}

    def write(self) -> Path:
        """Write it down and say where."""
        for name, source in self.code.items():
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "app.py").write_text(textwrap.dedent(source))
        for name, files in self.layers.items():
            for path, text in files.items():
                (self.folder / name / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name / path).write_text(text)
        document = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Parameters": self.parameters,
            "Resources": self.resources,
            "Outputs": self.outputs,
        }
        self.folder.mkdir(exist_ok=True)
        # By way of JSON: YAML would write what two resources share as an anchor.
        (self.folder / "template.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False))
        return self.folder


class Box:
    """A running sandbox with what tests ask of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._clients: list[Any] = []

    def put(self, detail_type: str, detail: Mapping[str, Any] | None = None, *, bus: str = "own") -> dict[str, Any]:
        """A user puts an event, and everything that follows happens. The answer is that of its entry."""
        entry = {"Source": "shop", "DetailType": detail_type, "Detail": json.dumps(detail or {}), "EventBusName": bus}
        answer = self.sandbox.client("events").put_events(Entries=[entry])["Entries"][0]
        self.sandbox.wait_until_idle(10)
        return dict(answer)

    def client(self, service: str, credentials: Mapping[str, str], region: str = "us-east-1") -> Any:
        """A client with credentials as a function has them, or as STS or IAM answer them."""
        client = aws.client(service, credentials, self.sandbox.endpoint_url, region)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the clients that were made."""
        for client in self._clients:
            client.close()

    def http(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """A plain request to the endpoint, unsigned; status, and the answer parsed if it is JSON.

        Without `headers` it has the token that changes something below /_sandbox.
        """
        headers = self.sandbox.control_token.headers if headers is None else headers
        with urllib3.PoolManager(retries=False) as pool:
            answer = pool.request(method, f"{self.sandbox.endpoint_url}{path}", body=body, headers=headers, timeout=20)
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, json.loads(answer.data) if is_json else answer.data

    def send(self, queue: str, *bodies: str) -> None:
        """A user sends messages, at most ten, at once; the rest follows."""
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        self.sandbox.client("sqs").send_message_batch(QueueUrl=self.url(queue), Entries=entries)

    def url(self, queue: str) -> str:
        """Address of a queue."""
        return self.sandbox.deployment.resources[queue].physical_id

    def arn(self, logical_id: str) -> str:
        """ARN of a resource."""
        return str(self.sandbox.deployment.resources[logical_id].arn)

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages out of a queue: bodies parsed, string attributes as plain text."""
        sqs = self.sandbox.client("sqs")
        found: list[dict[str, Any]] = []
        while received := sqs.receive_message(
            QueueUrl=self.url(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in received:
                sqs.delete_message(QueueUrl=self.url(queue), ReceiptHandle=message["ReceiptHandle"])
                attributes = message.get("MessageAttributes", {})
                found.append(
                    {
                        "body": json.loads(message["Body"]),
                        "attributes": {name: value.get("StringValue", "") for name, value in attributes.items()},
                    }
                )
        return found

    def runs(self, function: str) -> list[Any]:
        """Runs of a function."""
        return [one for one in self.sandbox.invocations if one.function == function]


@pytest.fixture(scope="module")
def new_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Template]:
    """Makes empty templates."""
    return lambda: Template(tmp_path_factory.mktemp("stack") / "build")


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Box]]:
    """Runs a template; the sandbox ends with the module."""
    with contextlib.ExitStack() as stack:
        yield lambda template, **options: _box(stack, template, **options)


def _box(stack: contextlib.ExitStack, template: Template, **options: Any) -> Box:
    box = Box(stack.enter_context(Sandbox(template.write(), data=template.folder.parent / "data", **options)))
    stack.callback(box.close)
    return box


@pytest.fixture
def template(new_template: Callable[[], Template]) -> Template:
    """An empty template."""
    return new_template()


@pytest.fixture
def run(template: Template) -> Iterator[Callable[..., Box]]:
    """Runs the template; the sandbox ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: _box(stack, template, **options)


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Waits at most ten seconds for what another thread or process does."""

    def wait(happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return wait


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread may outlive the test."""
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
