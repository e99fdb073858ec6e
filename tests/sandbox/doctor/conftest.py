"""The deployed house in one sandbox, and doctor as an operator runs it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_cli.caller import Caller
from ecr_steward_cli.doctor.findings import Finding, Status
from ecr_steward_cli.doctor.running import look
from ecr_steward_sandbox.deploy import Aws
from ecr_steward_sandbox.sandbox import Sandbox

BUILD = Path(__file__).parents[3] / ".aws-sam" / "build"
HUB, SPOKE, REGION, STACK = "111122223333", "222233334444", "us-east-1", "ecr-steward"


class House:
    """A stack that breaks and is mended by AWS's API, past the deliveries of the sandbox, which it does not need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.aws = Aws(HUB, REGION)

    def client(self, service: str) -> Any:
        """A client of the account's root."""
        return self.aws.client(service)

    def named(self, logical_id: str) -> str:
        """Name, URL, ARN or id of a resource."""
        return str(self.sandbox.deployment.resources[logical_id].physical_id)

    def arn(self, logical_id: str) -> str:
        """ARN of a resource."""
        return str(self.sandbox.deployment.resources[logical_id].arn)

    def properties(self, logical_id: str) -> Any:
        """Of a resource, as the template has them."""
        return self.sandbox.deployment.resources[logical_id].properties

    def first(self, type_: str, **properties: object) -> str:
        """The first resource of a type with these properties."""
        return next(
            one.logical_id
            for one in self.sandbox.deployment.of_type(type_)
            if all(one.properties.get(name) == value for name, value in properties.items())
        )

    def findings(self, stack: str = STACK, **environment: str) -> list[Finding]:
        """What doctor says, to the root of the account unless the environment has another caller."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", self.sandbox.endpoint_url)
            patch.setenv("AWS_ACCESS_KEY_ID", HUB)
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            patch.delenv("AWS_SESSION_TOKEN", raising=False)
            patch.delenv("AWS_PROFILE", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            return list(look(Caller(REGION), stack).findings)

    def not_ok(self, stack: str = STACK, **environment: str) -> set[tuple[str, str, Status]]:
        """Check, subject and status of what is not as it should be."""
        found = self.findings(stack, **environment)
        return {(one.check, one.subject, one.status) for one in found if one.status is not Status.OK}


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of doctor, which leave it as they find it."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    with contextlib.ExitStack() as stack:
        data = tmp_path_factory.mktemp("doctor") / "data"
        yield House(stack.enter_context(Sandbox(BUILD, data=data, spokes=[SPOKE])))
