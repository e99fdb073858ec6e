"""The house as it is deployed: our own built template in a sandbox."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ecr_steward.domain.names import Digest
from ecr_steward_sandbox.delivery.ledger import Invocation
from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.layout import Release, release, write_layout
from ecr_steward_sandbox.function_logs import log_lines
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.rulebook_layer import RulebookLayer
from ecr_steward_sandbox.sandbox import Sandbox
from ecr_steward_sandbox.workers import pool

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"
FED_BY_A_QUEUE = {
    "EvaluateImageScanFunction": "EvaluateImageScanQueue",
    "ReplicateImageFunction": "ReplicateImageQueue",
}


class House:
    """A running sandbox of the built template, and somebody who pushes to it."""

    def __init__(self, sandbox: Sandbox, layout: Layout, data: Path) -> None:
        self.data = data
        self.sandbox = sandbox
        self.layout = layout
        self.home, self.away = User(sandbox, "us-east-1"), User(sandbox, "eu-west-1")

    @cached_property
    def rulebook(self) -> RulebookLayer:
        """The rulebook that the functions have, to be changed and deployed."""
        return RulebookLayer(self.sandbox)

    # ---------------------------------------------------------------- what somebody does

    def push(self, repository: str, image_tag: str, by: User | None = None) -> Release:
        """Push the image under a tag into a repository that is made where it is missing, and let all follow."""
        user = by or self.home
        if not user.has_repository(repository):
            user.ecr.create_repository(repositoryName=repository)
        pushed = release(self.layout, image_tag)
        user.push(self.layout, pushed, repository, image_tag)
        self.sandbox.wait_until_idle()
        return pushed

    def scan_ends(
        self,
        repository: str,
        digests: Iterable[Digest],
        found: Mapping[str, str | None] | None = None,
        *,
        kind: str = "BASIC",
        status: str | None = None,
        said: str | None = None,
        account: str = "111122223333",
    ) -> list[Invocation]:
        """Let a scanner say the same of some images, all at once, and let all follow; answers who ran.

        ``found`` has the severity of each finding, where it has one.
        """
        shape = _basic_finding if kind == "BASIC" else _enhanced_finding
        report = {
            "account": account,
            "repository": repository,
            "type": kind,
            "status": status or ("COMPLETE" if kind == "BASIC" else "ACTIVE"),
            "findings": [shape(name, severity) for name, severity in (found or {}).items()],
            **({"description": said} if said else {}),
        }
        body = json.dumps([{**report, "digest": str(digest)} for digest in digests])
        with self._running() as ran:
            answer = urllib3.request(
                "POST",
                f"{self.sandbox.endpoint_url}/_sandbox/scans",
                body=body,
                headers=self.sandbox.control_token.headers,
                retries=False,
            )
            assert answer.status == 202, answer.data
        return ran

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What happens meanwhile reaches no function: its events stay on the default bus of their account."""
        rules = [
            (self.sandbox.client("events", account=account), str(deployment.resources["ForwardToStewardRule"].arn))
            for account, deployment in self.sandbox.deployments.items()
        ]
        for events, arn in rules:
            events.disable_rule(Name=arn.rpartition("/")[2])
        try:
            yield
            self.sandbox.wait_until_idle()
        finally:
            for events, arn in rules:
                events.enable_rule(Name=arn.rpartition("/")[2])

    # ---------------------------------------------------------------- what services do

    def deliver(self, event: dict[str, Any]) -> list[Invocation]:
        """Deliver an event as its service would, and let all follow; answers who ran."""
        with self._running() as ran:
            self.sandbox.deliver("111122223333", "us-east-1", event)
        return ran

    def send(self, queue: str, *bodies: Any) -> list[Invocation]:
        """Put messages on a queue of the template, at most ten, all at once; answers who ran."""
        url = self.sandbox.deployment.resources[queue].physical_id
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(texts)]
        with self._running() as ran:
            assert not self.sandbox.client("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
        return ran

    def sweep(self) -> list[Invocation]:
        """Let the schedule of the sweep come due; answers who ran."""
        with self._running() as ran:
            self.sandbox.tick("ReconcileRegistryFunctionSweep")
        return ran

    def refresh(self) -> list[Invocation]:
        """Let the schedule of the credentials come due; answers who ran."""
        with self._running() as ran:
            self.sandbox.tick("RefreshCredentialsFunctionRefresh")
        return ran

    # ---------------------------------------------------------------- what is to be seen

    def verdicts(self, repository: str) -> list[dict[str, Any]]:
        """Every Image Verdict on images of a repository, oldest first."""
        details = [each.event["detail"] for each in self.sandbox.events if each.event["detail-type"] == "Image Verdict"]
        return [detail for detail in details if detail["repository-name"] == repository]

    @staticmethod
    def outcomes(ran: Iterable[Invocation], function: str = "") -> list[dict[str, Any]]:
        """What functions, or one of them, have logged as outcomes."""
        lines = [line for each in ran if function in each.function for line in log_lines(each.log)]
        return [line for line in lines if line.get("message") == "outcome"]

    def take(self, queue: str, account: str | None = None) -> list[dict[str, Any]]:
        """Take everything out of a queue of the template, as the person would who reads it."""
        sqs = self.sandbox.client("sqs", account=account)
        url = self.sandbox.deployments[account or self.sandbox.account].resources[queue].physical_id
        taken: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        return taken

    def replay(self, failed: Iterable[Mapping[str, Any]]) -> list[Invocation]:
        """Give functions the events again that they have put on the failure queue, as a person would."""
        functions = {each.physical_id: each.logical_id for each in self._functions()}
        with self._running() as ran:
            for message in failed:
                if queue := FED_BY_A_QUEUE.get(functions[message["function"]]):
                    url = self.sandbox.deployment.resources[queue].physical_id
                    self.sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(message["event"]))
                else:
                    self.sandbox.client("lambda").invoke(
                        FunctionName=message["function"],
                        InvocationType="Event",
                        Payload=json.dumps(message["event"]).encode(),
                    )
        return ran

    def _functions(self) -> Iterable[Any]:
        return self.sandbox.deployment.of_type("AWS::Lambda::Function")

    @contextmanager
    def _running(self) -> Iterator[list[Invocation]]:
        """Filled, at the end, with what ran meanwhile and after it."""
        ran: list[Invocation] = []
        before = len(self.sandbox.invocations)
        yield ran
        self.sandbox.wait_until_idle()
        ran += self.sandbox.invocations[before:]


def _basic_finding(name: str, severity: str | None) -> dict[str, Any]:
    package = [{"key": "package_name", "value": "zlib"}, {"key": "package_version", "value": "1.3.1"}]
    return {"name": name, "attributes": package, **({"severity": severity} if severity else {})}


def _enhanced_finding(name: str, severity: str | None) -> dict[str, Any]:
    details = {"vulnerabilityId": name, "vulnerablePackages": [{"name": "zlib", "version": "1.3.1"}]}
    return {
        "title": f"{name} - zlib",
        "packageVulnerabilityDetails": details,
        **({"severity": severity} if severity else {}),
    }


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """Start the built template, changed by ``change(build)`` where a test wants it so; all end with the module.

    Further arguments are the sandbox's.
    """
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        # A second worker of a function costs a second of a processor: the first one will be free before.
        patch.setattr(pool, "PATIENCE_SECONDS", 2.0)

        def start(change: Callable[[Path], None] | None = None, **options: Any) -> House:
            stack.close()  # one process runs one sandbox at a time
            folder = tmp_path_factory.mktemp("house")
            build = BUILD
            if change is not None:
                build = Path(shutil.copytree(BUILD, folder / "build"))
                change(build)
            sandbox = stack.enter_context(Sandbox(build, data=folder / "data", **options))
            return House(sandbox, write_layout(folder / "image"), folder / "data")

        yield start


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    """The house as it is."""
    return open_house()
