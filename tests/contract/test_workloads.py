"""The contract of ``Workloads``: every test runs on the fake, and on the adapter.

ECS and Lambda are moto's. It has neither Inspector's ListCoverage nor the digests that tasks pulled: those answers come
from a small server of HTTP.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Protocol

import pytest
from botocore.session import Session
from moto import mock_aws

from ecr_steward.adapters import workloads as adapter
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.connected_accounts import NO_ACCOUNTS
from ecr_steward.adapters.memory import InMemoryWorkloads
from ecr_steward.adapters.workloads import AwsWorkloads
from ecr_steward.domain.names import Digest, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.usage import UsedImage
from ecr_steward.ports.workloads import Workloads
from tests.given import aws

ACCOUNT, REGION = "111122223333", "us-east-1"
API = RepositoryRef(RegistryRef(ACCOUNT, REGION), "team-a/api")
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ONE, TWO = Digest(f"sha256:{'1' * 64}"), Digest(f"sha256:{'2' * 64}")


class World(Protocol):
    """An account in which other people run things."""

    @property
    def workloads(self) -> Workloads: ...
    def define_task(self, family: str, *uris: str) -> None: ...
    def make_function(self, name: str, uri: str) -> None: ...
    def cover(self, digest: Digest, count: int) -> None:
        """Have Inspector cover an image of the repository that so many containers run."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.workloads = InMemoryWorkloads()

    def define_task(self, family: str, *uris: str) -> None:
        self.workloads.ecs += [_read(uri, family) for uri in uris]

    def make_function(self, name: str, uri: str) -> None:
        self.workloads.functions.append(_read(uri, name))

    def cover(self, digest: Digest, count: int) -> None:
        self.workloads.cover(API, [digest], count)


def _read(uri: str, by: str) -> UsedImage:
    named, _, digest = uri.removeprefix(f"{HOST}/").partition("@")
    name, _, tag = named.partition(":")
    repository = RepositoryRef(API.registry, name)
    if digest:
        return UsedImage(repository, by, digest=Digest(digest))
    return UsedImage(repository, by, image_tag=ImageTag(tag))


class AwsWorld:
    def __init__(self, clients: AwsClients, coverage: "Coverage") -> None:
        session = aws.session(ACCOUNT, REGION)
        self.ecs: Any = session.create_client("ecs")
        self.functions: Any = session.create_client("lambda")
        self.role = _role(session)
        self.workloads = AwsWorkloads(clients, ACCOUNT, NO_ACCOUNTS, utc_now)
        self._coverage = coverage

    def define_task(self, family: str, *uris: str) -> None:
        containers = [{"name": f"c{n}", "image": uri, "memory": 8} for n, uri in enumerate(uris)]
        self.ecs.register_task_definition(family=family, containerDefinitions=containers)

    def make_function(self, name: str, uri: str) -> None:
        self.functions.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=self.role)

    def cover(self, digest: Digest, count: int) -> None:
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{API.name}/{digest}"
        self._coverage.resources.append(
            {
                "resourceId": arn,
                "resourceType": "AWS_ECR_CONTAINER_IMAGE",
                "accountId": ACCOUNT,
                "scanType": "PACKAGE",
                "resourceMetadata": {"ecrImage": {"inUseCount": count}},
            }
        )


def _role(session: Session) -> str:
    iam: Any = session.create_client("iam")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))
    arn: str = role["Role"]["Arn"]
    return arn


class Coverage:
    """Inspector's ``POST /coverage/list``, one resource on a page."""

    def __init__(self) -> None:
        self.resources: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(asked)
                start = int(asked.get("nextToken", "0"))
                answer: dict[str, Any] = {"coveredResources": outer.resources[start : start + 1]}
                if start + 1 < len(outer.resources):
                    answer["nextToken"] = str(start + 1)
                body = json.dumps(answer).encode()
                self.send_response(200 if self.path == "/coverage/list" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Coverage":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def coverage() -> Iterator[Coverage]:
    with Coverage() as coverage:
        yield coverage


@pytest.fixture
def aws_world(coverage: Coverage, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_INSPECTOR2", coverage.url)
    with mock_aws(config={"core": {"passthrough": {"urls": [f"{coverage.url}/.*"]}}}):
        yield AwsWorld(aws.clients(ACCOUNT, REGION), coverage)


@pytest.fixture(params=["fake", "adapter"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = FakeWorld() if request.param == "fake" else request.getfixturevalue("aws_world")
    return world


def named(images: tuple[UsedImage, ...]) -> set[tuple[str, object]]:
    """Repository, and tag or digest."""
    return {(image.repository.name, image.image_tag or image.digest) for image in images}


def test_an_active_task_definition_uses_what_its_containers_name(world: World) -> None:
    world.define_task("api", f"{HOST}/team-a/api:1.4.2", f"{HOST}/team-a/sidecar@{ONE}")
    world.define_task("job", f"{HOST}/team-a/job:latest")

    assert named(world.workloads.run_by_ecs(REGION)) == {
        ("team-a/api", "1.4.2"),
        ("team-a/sidecar", ONE),
        ("team-a/job", "latest"),
    }


def test_whoever_uses_an_image_is_named(world: World) -> None:
    world.define_task("api", f"{HOST}/team-a/api:1.4.2")
    world.make_function("resize", f"{HOST}/team-a/resize@{TWO}")

    (task,) = world.workloads.run_by_ecs(REGION)
    (function, *_) = world.workloads.run_by_lambda(REGION)
    assert "api" in task.by
    assert "resize" in function.by


def test_a_function_uses_its_image(world: World) -> None:
    world.make_function("resize", f"{HOST}/team-a/resize@{TWO}")
    world.make_function("crop", f"{HOST}/team-a/crop@{ONE}")

    assert named(world.workloads.run_by_lambda(REGION)) >= {("team-a/resize", TWO), ("team-a/crop", ONE)}


def test_nothing_is_used_where_nothing_runs(world: World) -> None:
    assert world.workloads.run_by_ecs(REGION) == ()
    assert world.workloads.run_by_lambda(REGION) == ()
    assert world.workloads.counted_by_inspector(API) == {}


def test_inspector_counts_the_containers_of_all_images_that_it_covers(world: World) -> None:
    world.cover(ONE, 3)
    world.cover(TWO, 0)

    assert world.workloads.counted_by_inspector(API) == {ONE: 3, TWO: 0}


# ---------------------------------------------------------------- the adapter alone


def test_a_revision_that_is_not_active_is_in_use_when_a_service_runs_it(aws_world: AwsWorld) -> None:
    aws_world.ecs.create_cluster(clusterName="prod")
    aws_world.define_task("api", f"{HOST}/team-a/api:1.4.2")
    aws_world.define_task("gone", f"{HOST}/team-a/gone:1")
    aws_world.ecs.create_service(cluster="prod", serviceName="api", taskDefinition="api:1", desiredCount=1)
    for revision in ("api:1", "gone:1"):
        aws_world.ecs.deregister_task_definition(taskDefinition=revision)

    assert named(aws_world.workloads.run_by_ecs(REGION)) == {("team-a/api", "1.4.2")}


def test_every_version_of_a_function_counts(aws_world: AwsWorld) -> None:
    aws_world.make_function("resize", f"{HOST}/team-a/resize@{ONE}")
    aws_world.functions.publish_version(FunctionName="resize")

    # moto's versions all have the code of the last one, so who is asked tells more than what is answered
    users = {image.by.partition(" of ")[0] for image in aws_world.workloads.run_by_lambda(REGION)}
    assert users == {"the function resize:$LATEST", "the function resize:1"}


def test_a_function_of_a_zip_file_uses_no_image(aws_world: AwsWorld) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "")
    aws_world.functions.create_function(
        FunctionName="zipped",
        Runtime="python3.13",
        Handler="app.f",
        Code={"ZipFile": content.getvalue()},
        Role=aws_world.role,
    )

    assert aws_world.workloads.run_by_lambda(REGION) == ()


@pytest.mark.slow
def test_all_pages_are_read(aws_world: AwsWorld) -> None:
    for number in range(103):  # moto's pages hold 100
        aws_world.define_task(f"family-{number}", f"{HOST}/team-a/api:{number}")

    assert len(aws_world.workloads.run_by_ecs(REGION)) == 103


def test_inspector_is_asked_about_one_repository(aws_world: AwsWorld, coverage: Coverage) -> None:
    aws_world.workloads.counted_by_inspector(API)

    (asked,) = coverage.asked
    assert asked["filterCriteria"] == {
        "resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}],
        "accountId": [{"comparison": "EQUALS", "value": ACCOUNT}],
        "ecrRepositoryName": [{"comparison": "EQUALS", "value": API.name}],
    }
    assert asked["maxResults"] == adapter.COVERAGE_PAGE


def test_an_image_of_which_inspector_gives_no_count_is_not_covered(aws_world: AwsWorld, coverage: Coverage) -> None:
    aws_world.cover(ONE, 1)
    del coverage.resources[0]["resourceMetadata"]["ecrImage"]["inUseCount"]

    assert aws_world.workloads.counted_by_inspector(API) == {}
