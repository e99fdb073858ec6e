"""What a case finds in the sandbox, and what is seen afterwards; without SAM: the test acts in the function's place."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward_sandbox.accounts import SPOKE_ACCOUNT, SPOKE_TEMPLATE
from ecr_steward_sandbox.demo.layout import release, write_layout
from ecr_steward_sandbox.sandbox import Sandbox
from sam_local.cases import ENFORCE, EVALUATE, REFRESH, REPLICATE
from sam_local.effects import SECRET, login_is_fresh, only_the_role_acts
from sam_local.given import AS_THE_SAMPLE_SAYS, PAYMENTS, Given, Scanned
from sam_local.invocation import Answer
from sam_local.quiet import quiet_build, quiet_template
from sam_local.state import HOME, Login, Seen
from sam_local.world import World

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    template = quiet_template(SPOKE_TEMPLATE, folder)
    with Sandbox(quiet_build(BUILD, folder), spokes=[SPOKE_ACCOUNT], spoke_template=template) as sandbox:
        layout = write_layout(folder / "image")
        yield World(sandbox, layout, release(layout, "1.4.2"))


class Function:
    """A function that the test writes: keeps what it got."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, event: Any, variables: Mapping[str, str], credentials: Mapping[str, str]) -> Answer:
        self.event, self.variables, self.credentials = event, variables, credentials
        self.act()
        return Answer(0, "{}", "", 0.0)

    def act(self) -> None:
        """Nothing."""

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=HOME,
            endpoint_url=self.world.sandbox.endpoint_url,
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.credentials["AWS_SESSION_TOKEN"],
        )

    def play(self, function: str, sample: Any, given: Given = AS_THE_SAMPLE_SAYS) -> Seen:
        _, seen = self.world.play(function, sample, given, self)
        return seen


def test_the_event_speaks_of_the_image_that_is_there_when_a_case_is_played(world: World, load_event: Any) -> None:
    function = Function(world)

    seen = function.play(ENFORCE, load_event("ecr_image_action/push_in_account_two"))

    assert seen.source == RepositoryRef(RegistryRef(SPOKE_ACCOUNT, HOME), "team-a/api")
    assert function.event["detail"]["image-digest"] == seen.image == str(world.release.index.digest)
    assert seen.before.repositories[seen.source].tags_of(seen.image) == {"1.4.2"}
    assert seen.before == seen.after


def test_scans_are_those_that_are_given_when_an_event_is_about_a_child(world: World, load_event: Any) -> None:
    class Reader(Function):
        def act(self) -> None:
            ecr, (one, two) = self.client("ecr"), self.world.release.children
            found = ecr.describe_image_scan_findings(repositoryName=PAYMENTS, imageId={"imageDigest": str(two.digest)})
            self.severities = found["imageScanFindings"]["findingSeverityCounts"]
            with pytest.raises(ClientError, match="ScanNotFoundException"):
                ecr.describe_image_scan_findings(repositoryName=PAYMENTS, imageId={"imageDigest": str(one.digest)})

    function = Reader(world)
    given = Given(PAYMENTS, (Scanned.NEVER, Scanned.HIGH))

    seen = function.play(EVALUATE, load_event("sqs_scan_batch/basic_scan_of_a_child"), given)

    detail = json.loads(function.event["Records"][0]["body"])["detail"]
    assert detail["image-digest"] == str(world.release.children[0].digest)
    assert detail["repository-name"] == seen.source.name == PAYMENTS
    assert function.severities == {"HIGH": 1}
    assert {each.principal for each in seen.asked("ecr:DescribeImageScanFindings")} == {seen.session}
    assert list(only_the_role_acts(seen)) == []


def test_a_case_is_told_when_the_role_does_not_do(world: World, load_event: Any) -> None:
    class Tagger(Function):
        def act(self) -> None:
            with pytest.raises(ClientError, match="AccessDeniedException"):
                self.client("ecr").delete_repository(repositoryName="team-a/api")

    seen = Tagger(world).play(REPLICATE, load_event("sqs_copy_batch/copy_job_from_push"))

    (complaint,) = only_the_role_acts(seen)
    assert "ecr:DeleteRepository" in complaint


def test_a_login_is_seen_to_push_when_it_is_the_accounts_own(world: World, load_event: Any) -> None:
    class Publisher(Function):
        def act(self) -> None:
            (login,) = self.world.sandbox.client("ecr", HOME).get_authorization_token()["authorizationData"]
            host, token = login["proxyEndpoint"].removeprefix("http://"), login["authorizationToken"]
            assert base64.b64decode(token).startswith(b"AWS:")
            document = json.dumps({"auths": {host: {"auth": token}}})
            self.client("secretsmanager").create_secret(Name=SECRET, SecretString=document)

    seen = Publisher(world).play(REFRESH, load_event("schedule/refresh"))

    assert seen.after.secrets == {SECRET: (Login(seen.source.registry, pulls=True, pushes=True),)}
    complaints = list(login_is_fresh(seen))
    assert complaints[0] == "the login can push"
    assert "speaks as ['arn:aws:iam::111122223333:root']" in complaints[1]


def test_nothing_of_a_case_is_left_when_the_next_one_begins(world: World, load_event: Any) -> None:
    class Leaver(Function):
        def act(self) -> None:
            self.client("secretsmanager").create_secret(Name=SECRET, SecretString='{"auths": {}}')
            table = self.world.variables(REFRESH)["ECR_STEWARD_IDEMPOTENCY_TABLE"]
            self.client("dynamodb").put_item(TableName=table, Item={"id": {"S": "a notice"}})

    Leaver(world).play(REFRESH, load_event("schedule/refresh"))

    seen = Function(world).play(ENFORCE, load_event("ecr_image_action/push_tagged"))

    assert seen.before.secrets == {}
    assert [place.name for place in seen.before.repositories] == ["team-a/api"]
    table = world.variables(REFRESH)["ECR_STEWARD_IDEMPOTENCY_TABLE"]
    assert world.sandbox.client("dynamodb", HOME).scan(TableName=table)["Items"] == []
