"""The house as it is deployed: our own built template in a sandbox."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.delivery.ledger import Invocation
from sandbox.demo.client import User
from sandbox.demo.layout import Layout, Release, release, write_layout
from sandbox.sandbox import Sandbox

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"


class House:
    """A running sandbox of the built template, and somebody who pushes to it."""

    def __init__(self, sandbox: Sandbox, layout: Layout, data: Path) -> None:
        self.data = data
        self.sandbox = sandbox
        self.layout = layout
        self.home, self.away = User(sandbox, "us-east-1"), User(sandbox, "eu-west-1")

    def push(self, repository: str, image_tag: str) -> Release:
        """Push the image under a tag into a repository that is made where it is missing, and let all follow."""
        names = [each["repositoryName"] for each in self.home.ecr.describe_repositories()["repositories"]]
        if repository not in names:
            self.home.ecr.create_repository(repositoryName=repository)
        pushed = release(self.layout, image_tag)
        self.home.push(self.layout, pushed, repository, image_tag)
        self.sandbox.wait_until_idle()
        return pushed

    def deliver(self, event: dict[str, Any]) -> list[Invocation]:
        """Deliver an event as its service would, and let all follow; answers who ran."""
        before = len(self.sandbox.invocations)
        self.sandbox.deliver("111122223333", "us-east-1", event)
        self.sandbox.wait_until_idle()
        return self.sandbox.invocations[before:]

    def take(self, queue: str) -> list[dict[str, Any]]:
        """Take everything out of a queue of the template, as the person would who reads it."""
        sqs = self.sandbox.client("sqs")
        url = self.sandbox.deployment.resources[queue].physical_id
        taken: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        return taken


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """Start the built template, changed by ``change(build)`` where a test wants it so; all end with the module."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    with ExitStack() as stack:

        def start(change: Callable[[Path], None] | None = None) -> House:
            stack.close()  # one process runs one sandbox at a time
            folder = tmp_path_factory.mktemp("house")
            build = BUILD
            if change is not None:
                build = Path(shutil.copytree(BUILD, folder / "build"))
                change(build)
            sandbox = stack.enter_context(Sandbox(build, data=folder / "data"))
            return House(sandbox, write_layout(folder / "image"), folder / "data")

        yield start


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    """The house as it is."""
    return open_house()
