"""`make real-account` as it is played against a sandbox: no wait is longer than a blink, and no request reaches AWS."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.sandbox import Sandbox
from real_account.__main__ import Stage, main
from real_account.pace import Pace
from real_account.run import Sizes
from real_account.step import Step
from real_account.steps import STEPS

ACCOUNT = "111122223333"
REGION = "us-east-1"
SMALL = Sizes(layer_bytes=3 << 20, repositories=3, contract="aws and (test_account_settings or test_retention)")


@dataclass
class QuickTime:
    """A clock that a sleep sets forward. A second of it is a hundredth of one, and never more than a tenth."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_sleep: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        time.sleep(min(seconds / 100, 0.1) if seconds < 60 else 0)
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """A person at a terminal with credentials of the account, and the sandbox for AWS."""

    sandbox: Sandbox
    folder: Path
    clock: QuickTime
    typed: list[str] = field(default_factory=lambda: [ACCOUNT])

    def make(self, *arguments: str, steps: Sequence[Step] = STEPS, account: str = ACCOUNT) -> int:
        """`make real-account`; its exit code."""
        assert os.environ["AWS_ENDPOINT_URL"] == self.sandbox.endpoint_url
        assert self.sandbox.endpoint_url.startswith("http://127.0.0.1:")
        pace = Pace(lambda: self.clock.now, self.clock.sleep)
        stage = Stage(lambda: pace, lambda _: self.typed.pop(), SMALL, steps)
        given = ["--account", account, "--region", REGION, "--folder", str(self.folder)]
        return main([*given, *arguments], stage)

    @property
    def report(self) -> dict[str, Any]:
        """The report of the latest run, as JSON."""
        files = sorted(self.folder.glob("*/report.json"))
        return dict(json.loads(files[-1].read_text(encoding="utf-8")))

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdicts of the latest run, by belief."""
        return {finding["belief"]: finding["verdict"] for finding in self.report["findings"]}

    def later(self, name: str) -> dict[str, Any]:
        """The one finding of a later command."""
        file = sorted(self.folder.glob(f"*/report-{name}.json"))[-1]
        return dict(json.loads(file.read_text(encoding="utf-8"))["findings"][0])

    def state(self) -> dict[str, Any]:
        """Whatever a run could leave in the account."""
        ecr, iam = self.sandbox.client("ecr"), self.sandbox.client("iam")
        events = self.sandbox.client("events")
        buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
        return {
            "repositories": ecr.describe_repositories()["repositories"],
            "templates": ecr.describe_repository_creation_templates()["repositoryCreationTemplates"],
            "scanning": ecr.get_registry_scanning_configuration()["scanningConfiguration"],
            "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
            "topics": self.sandbox.client("sns").list_topics()["Topics"],
            "queues": self.sandbox.client("sqs").list_queues().get("QueueUrls", []),
            "rules": {bus: [one["Name"] for one in events.list_rules(EventBusName=bus)["Rules"]] for bus in buses},
        }


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox without functions: an account in which nothing of the project is deployed."""
    build = tmp_path_factory.mktemp("real-account") / "build"
    build.mkdir()
    (build / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources: {Own: {Type: AWS::SQS::Queue}}\n", encoding="utf-8"
    )
    with Sandbox(build, account=ACCOUNT, regions=(REGION, "eu-west-1")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def administrator(box: Sandbox) -> dict[str, Any]:
    """The key of a user who may do everything: root can assume no role."""
    iam = box.client("iam")
    iam.create_user(UserName="administrator")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=policy)
    return dict(iam.create_access_key(UserName="administrator")["AccessKey"])


@pytest.fixture
def desk(box: Sandbox, administrator: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose credentials are the account's, with AWS out of reach."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    given = {
        "AWS_ENDPOINT_URL": box.endpoint_url,
        "AWS_ACCESS_KEY_ID": administrator["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": administrator["SecretAccessKey"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return Desk(box, tmp_path / "runs", QuickTime())
