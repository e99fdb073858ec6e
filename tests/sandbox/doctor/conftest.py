"""The deployed house in one sandbox, and doctor as an operator runs it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from ecr_steward.domain.credentials import version_stamp
from ecr_steward.domain.names import RegistryRef
from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.validate import validate
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.doctor.findings import Finding, Status
from ecr_steward_cli.doctor.running import look
from ecr_steward_sandbox.deploy import Aws
from ecr_steward_sandbox.sandbox import Sandbox
from tests.given import aws

RULEBOOK = Path(__file__).with_name("rulebook.yaml")
SECRET = "ecr-steward/on-prem-cluster"
BUILD = Path(__file__).parents[3] / ".aws-sam" / "build"
HUB, SPOKE, REGION, STACK = "111122223333", "222233334444", "us-east-1", "ecr-steward"
OPERATOR = "operator"
MAIL = {"NotificationEmail": "ops@example.com"}
WHOLE = {("spoke-role", SPOKE, Status.NOT_LOOKED_AT)}
"""What is not ok of a whole stack: the role in a connected account lets functions in alone."""


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


@contextlib.contextmanager
def user_with(house: House, document: str) -> Iterator[dict[str, str]]:
    """Credentials of a user who has this policy alone."""
    iam = house.client("iam")
    iam.create_user(UserName=OPERATOR)
    iam.put_user_policy(UserName=OPERATOR, PolicyName="doctor", PolicyDocument=document)
    key = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    iam.delete_access_key(UserName=OPERATOR, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=OPERATOR, PolicyName="doctor")
    iam.delete_user(UserName=OPERATOR)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of a file, which leave it as they find it."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    folder = tmp_path_factory.mktemp("doctor")
    with contextlib.ExitStack() as stack:
        house = House(
            stack.enter_context(
                Sandbox(_build(folder / "build"), data=folder / "data", spokes=[SPOKE], parameters=MAIL)
            )
        )
        _scan_all(house)
        _publish_login(house)
        yield house


def _build(folder: Path) -> Path:
    """What was built, with a rulebook that asks for something of every part."""
    folder.mkdir()
    for path in BUILD.iterdir():
        if not path.name.startswith("RulebookLayer"):
            (folder / path.name).symlink_to(path)
    rulebook, problems = validate(yaml.safe_load(RULEBOOK.read_text(encoding="utf-8")))
    assert rulebook is not None, problems
    (folder / "RulebookLayer").mkdir()
    compiled = dump_compiled(rulebook, RULEBOOK.name, RULEBOOK.read_bytes())
    (folder / "RulebookLayer" / "rulebook.json").write_text(compiled, encoding="utf-8")
    return folder


def _scan_all(house: House) -> None:
    """As the rulebook has it; AWS's ECR turns Inspector on with it."""
    put_scanning(house, "ENHANCED")
    house.client("inspector2").enable(accountIds=[HUB], resourceTypes=["ECR"])


def put_scanning(house: House, type_: str) -> None:
    """Configure how the registry scans, as soon as an image is pushed."""
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    house.sandbox.client("ecr").put_registry_scanning_configuration(scanType=type_, rules=[rule])


def _publish_login(house: House) -> None:
    """As refresh_credentials does: a login of the pull-only role, in the secret of the rulebook."""
    sandbox = house.sandbox
    session = sandbox.credentials_of(house.arn("PullOnlyRole"), "login")
    ecr = aws.client("ecr", session, sandbox.endpoint_url, REGION)
    (data,) = ecr.get_authorization_token()["authorizationData"]
    ecr.close()
    host = data["proxyEndpoint"].partition("://")[2]
    logins = {host: {"auth": data["authorizationToken"]}, "registry.example.com": {"auth": "of another writer"}}
    text = json.dumps({"auths": logins})
    stamp = version_stamp("pull-only", [RegistryRef(HUB, REGION)])
    client = house.client("secretsmanager")
    client.create_secret(Name=SECRET, SecretString=text, ClientRequestToken=f"{stamp}{uuid4().hex}")
