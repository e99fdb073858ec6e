"""Clients that nobody here wrote, run against a server of ours, with images that are real."""

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from ecr_steward_sandbox.sandbox import Sandbox
from lab.client_matrix.debian import MissingPackageError
from lab.client_matrix.images import put_debian
from lab.client_matrix.layout import Layout
from lab.client_matrix.registry import ACCOUNT, NOWHERE, REGIONS, Refusal, Registry, Shell
from lab.client_matrix.versions import version_of
from local_ecr import LocalEcr, LocalEcrServer

CLOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:InitiateLayerUpload"}],
}

PROGRAMS = pytest.StashKey[set[str]]()
"""Paths of the programs that tests have driven."""


@pytest.fixture(scope="session")
def need_program(request: pytest.FixtureRequest) -> Callable[..., str]:
    """The path of a program; without it the test is skipped (CI makes that a failure) and says what to install."""
    driven = request.config.stash.setdefault(PROGRAMS, set())

    def need(name: str, *, install: str, at: Path | None = None) -> str:
        found = shutil.which(name) if at is None else shutil.which(at)
        if found is None:
            pytest.skip(f"{name} is missing: {install}")
        driven.add(found)
        return found

    return need


@pytest.fixture
def local_registry(tmp_path: Path) -> Iterator[Registry]:
    """local_ecr alone."""
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), [(ACCOUNT, region) for region in REGIONS]) as server:
        yield Registry(server.endpoint_url, {region: server.registry_url(ACCOUNT, region) for region in REGIONS})


@pytest.fixture(scope="module")
def sandbox(build_for: Callable[[str], Path]) -> Iterator[Sandbox]:
    """The whole sandbox with what we deploy in it; its rules leave repositories below `team/` alone."""
    machine = platform.machine()
    with Sandbox(build_for({"aarch64": "arm64"}.get(machine, machine)), account=ACCOUNT, regions=REGIONS) as sandbox:
        yield sandbox


@pytest.fixture(params=["local_ecr", "sandbox"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    """An empty registry in both regions: of local_ecr, then of the running sandbox."""
    if request.param == "local_ecr":
        yield request.getfixturevalue("local_registry")
        return
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    registry = Registry(sandbox.endpoint_url, {region: sandbox.registry_url(region) for region in REGIONS})
    yield registry
    for region in REGIONS:
        client = registry.client(region)
        for page in client.get_paginator("describe_repositories").paginate():
            for found in page["repositories"]:
                client.delete_repository(repositoryName=found["repositoryName"], force=True)
        for made in client.describe_repository_creation_templates()["repositoryCreationTemplates"]:
            client.delete_repository_creation_template(prefix=made["prefix"])
    sandbox.wait_until_idle()


@pytest.fixture
def shell(tmp_path: Path, registry: Registry) -> Shell:
    """Logged in to both regions."""
    shell = Shell(tmp_path / "home")
    shell.home.mkdir()
    shell.log_in({host: registry.token(region) for region, host in registry.hosts.items()})
    shell.environment |= {
        "REGISTRY_AUTH_FILE": str(shell.login_file),
        "DOCKER_CONFIG": str(shell.home),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        "AWS_ENDPOINT_URL": registry.endpoint_url,
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-verified",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
    return shell


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """`image:1.0`: an index of two platforms, of Debian packages. Nobody changes it."""
    made = Layout(tmp_path_factory.mktemp("debian") / "image")
    try:
        put_debian(made, "1.0")
    except MissingPackageError as missing:
        pytest.skip(f"the image is made of installed packages: apt-get install {missing}")
    return made


@pytest.fixture(scope="session")
def digest(layout: Layout) -> str:
    """The digest of `image:1.0`."""
    return layout.digest("1.0")


@pytest.fixture
def refusals(registry: Registry) -> list[Refusal]:
    """Pushes that are refused to whom the shell is logged in as: no repository, a policy, an immutable tag."""
    client = registry.client()
    registry.create("team/closed")
    client.set_repository_policy(repositoryName="team/closed", policyText=json.dumps(CLOSED), force=True)
    registry.create("team/fixed", imageTagMutability="IMMUTABLE")
    registry.put_empty_image("team/fixed", "1.0")
    return [
        Refusal(
            "no/such:1.0", f"The repository with name 'no/such' does not exist in the registry with id '{ACCOUNT}'"
        ),
        Refusal(
            "team/closed:1.0",
            f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: ecr:InitiateLayerUpload on resource: "
            f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/closed",
        ),
        Refusal(
            "team/fixed:1.0",
            "The image tag '1.0' already exists in the 'team/fixed' repository and cannot be overwritten because the "
            "tag is immutable.",
        ),
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which version each client was of."""
    if driven := config.stash.get(PROGRAMS, set()):
        terminalreporter.section("clients")
        for program in sorted(map(Path, driven), key=lambda path: path.name):
            terminalreporter.line(f"{program.name}: {version_of(program)}")
        terminalreporter.line(f"boto3: {version('boto3')}")
