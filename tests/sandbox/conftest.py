"""Built folders with tiny functions, as `sam build` would leave them, and sandboxes that run them."""

import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.sandbox import Sandbox

ECHO = """
    def lambda_handler(event, context):
        return event
"""

RULE = {
    "Type": "AWS::Events::Rule",
    "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": []},
}


def queue_policy(queue: str, source: str, service: str = "events.amazonaws.com") -> dict[str, Any]:
    """A queue policy that lets one rule write."""
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": "sqs:SendMessage",
                        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
                        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [source, "Arn"]}}},
                    }
                ],
            },
        },
    }


def function(**properties: Any) -> dict[str, Any]:
    """A function of a template; its code is given to the builder."""
    defaults = {"Runtime": "python3.13", "Handler": "app.lambda_handler", "Timeout": 5}
    return {"Type": "AWS::Serverless::Function", "Properties": {**defaults, **properties}}


class Builder:
    """Writes built folders and runs them; everything ends with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Sandbox] = []

    def build(self, resources: Mapping[str, Any], code: Mapping[str, str] | None = None) -> Path:
        """A folder with a template of these resources, and an app.py for each function."""
        folder = self._folder / "build"
        folder.mkdir()
        sources = {name: ECHO for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}
        for name, source in {**sources, **(code or {})}.items():
            (folder / name).mkdir()
            (folder / name / "app.py").write_text(textwrap.dedent(source))
            resources[name]["Properties"]["CodeUri"] = name
        template = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": dict(resources),
        }
        (folder / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False))
        return folder

    def run(self, resources: Mapping[str, Any], code: Mapping[str, str] | None = None, **options: Any) -> Sandbox:
        """A running sandbox of these resources."""
        sandbox = Sandbox(self.build(resources, code), data=self._folder / "data", **options)
        sandbox.__enter__()
        self._running.append(sandbox)
        return sandbox

    def close(self) -> None:
        """End what was run."""
        for sandbox in self._running:
            sandbox.__exit__(None, None, None)


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Builder]:
    """Builds and runs templates."""
    builder = Builder(tmp_path)
    yield builder
    builder.close()


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread may outlive the test."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert not left


type Run = Callable[..., Sandbox]
