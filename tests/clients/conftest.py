"""Clients that nobody here wrote, run against a server of ours, with an image that is one."""

import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_ecr import LocalEcr, LocalEcrServer
from sandbox.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
ACCOUNT = "111122223333"
REGIONS = ("us-east-1", "eu-west-1")
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TIMEOUT = 60  # seconds for any one command


@dataclass
class Registry:
    """An ECR to talk to: its API, and the /v2/ API of every region."""

    endpoint_url: str
    urls: dict[str, str]

    @property
    def hosts(self) -> dict[str, str]:
        """What an image's name begins with, per region."""
        return {region: url.removeprefix("http://") for region, url in self.urls.items()}

    @property
    def host(self) -> str:
        return self.hosts[REGIONS[0]]

    def client(self, region: str = REGIONS[0]) -> Any:
        return boto3.client(
            "ecr",
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="not-verified",
        )

    def token(self, region: str = REGIONS[0]) -> str:
        data = self.client(region).get_authorization_token()["authorizationData"]
        token: str = data[0]["authorizationToken"]
        return token


@dataclass
class Shell:
    """Runs one program, logged in to both regions, away from the settings of whoever runs the tests."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str | Path, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(part) for part in command],
            input=stdin,
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **self.environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
        return done


@pytest.fixture(scope="session")
def need_program() -> Callable[..., str]:
    """The path of a program; without it the test is skipped (CI makes that a failure) and says what to install."""

    def need(name: str, *, install: str, at: Path | None = None) -> str:
        found = shutil.which(name) if at is None else shutil.which(at)
        if found is None:
            pytest.skip(f"{name} is missing: {install}")
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
    sandbox.wait_until_idle()


@pytest.fixture
def shell(tmp_path: Path, registry: Registry) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    auths = {host: {"auth": registry.token(region)} for region, host in registry.hosts.items()}
    login = home / "config.json"
    login.write_text(json.dumps({"auths": auths}), encoding="utf-8")
    environment = {
        "REGISTRY_AUTH_FILE": str(login),
        "DOCKER_CONFIG": str(home),
        "AWS_ENDPOINT_URL": registry.endpoint_url,
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-verified",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
    return Shell(home, environment)


@dataclass
class Layout:
    """A folder in OCI image layout form, made by hand."""

    folder: Path

    def put(self, data: bytes, media_type: str, **members: Any) -> dict[str, Any]:
        encoded = hashlib.sha256(data).hexdigest()
        path = self.folder / "blobs" / "sha256" / encoded
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(data), **members}

    def put_json(self, document: dict[str, Any], media_type: str, **members: Any) -> dict[str, Any]:
        return self.put(json.dumps(document).encode(), media_type, **members)

    def put_image(self, architecture: str, files: Sequence[Path]) -> dict[str, Any]:
        """One platform: every file is a layer of its own."""
        layers, unpacked = [], []
        for path in files:
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                tar.add(path.resolve(), arcname=f"{architecture}/{path.name}")
            unpacked.append(f"sha256:{hashlib.sha256(archive.getvalue()).hexdigest()}")
            layers.append(self.put(gzip.compress(archive.getvalue(), 1, mtime=0), OCI_LAYER))
        platform = {"architecture": architecture, "os": "linux"}
        config = {**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": unpacked}}
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put_json(config, OCI_CONFIG),
            "layers": layers,
        }
        return self.put_json(manifest, OCI_MANIFEST, platform=platform)

    def blobs(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "blobs" / "sha256").iterdir()}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """`image:1.0`: an index of two platforms, of files that every machine has."""
    made = Layout(tmp_path / "image")
    files = [Path("/bin/sh"), Path("/etc/hosts")]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [made.put_image(architecture, files) for architecture in ("amd64", "arm64")],
    }
    named = made.put_json(index, OCI_INDEX, annotations={"org.opencontainers.image.ref.name": "1.0"})
    (made.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}), encoding="utf-8")
    (made.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return made


@pytest.fixture
def digest(layout: Layout) -> str:
    """The digest of `image:1.0`."""
    index = json.loads((layout.folder / "index.json").read_text(encoding="utf-8"))
    found: str = index["manifests"][0]["digest"]
    return found
