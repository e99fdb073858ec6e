"""`python -m local_ecr` as a process that can be killed, and both faces of it, spoken to by hand."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3

from local_ecr import LocalEcr, LocalEcrServer, Quirks

ACCOUNT = "111122223333"
HOME = "us-east-1"
AWAY = "eu-west-1"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
COMMAND = (sys.executable, "-m", "local_ecr")
ONCE = urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=2)
"""No request is sent again; a redirect is followed."""


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Faces:
    """Both faces of a server, and a client of them that never tries again."""

    def __init__(self, endpoint: str, registries: Mapping[str, str]) -> None:
        self.endpoint = endpoint
        self.registries = registries
        """The URL of each region's registry."""
        self.http = urllib3.PoolManager(retries=False, timeout=30, maxsize=16)
        self.renew()

    def renew(self) -> None:
        """Get a token for each registry; one is good for twelve hours."""
        self.tokens = {region: self._token(region) for region in self.registries}

    def call(self, operation: str, region: str = HOME, **members: Any) -> tuple[int, dict[str, Any]]:
        """Status and document of an operation of the JSON API, asked for by the account's root."""
        headers = {
            "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{region}/ecr/aws4_request",
        }
        answer = self.http.request("POST", self.endpoint, body=json.dumps(members), headers=headers)
        return answer.status, json.loads(answer.data)

    def done(self, operation: str, region: str = HOME, **members: Any) -> dict[str, Any]:
        """The document of an operation that must succeed."""
        status, document = self.call(operation, region, **members)
        assert status == 200, (operation, document)
        return document

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        region: str = HOME,
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:
        """A request below /v2/; a redirect is followed."""
        sent = {"Authorization": f"Basic {self.tokens[region]}", **(headers or {})}
        url = self.registries[region] + path
        return self.http.request(method, url, body=body, headers=sent, retries=ONCE, **options)

    def push_blob(self, repository_name: str, data: bytes, region: str = HOME) -> str:
        digest = digest_of(data)
        pushed = self.send("POST", f"/v2/{repository_name}/blobs/uploads/?digest={digest}", data, region=region)
        assert pushed.status == 201, pushed.data
        return digest

    def push_manifest(self, repository_name: str, reference: str, body: bytes) -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": OCI_MANIFEST}
        return self.send("PUT", f"/v2/{repository_name}/manifests/{reference}", body, headers)

    def _token(self, region: str) -> str:
        token: str = self.done("GetAuthorizationToken", region)["authorizationData"][0]["authorizationToken"]
        return token


class Server(Faces):
    """A running process on a folder, with a registry in each region."""

    def __init__(
        self, data: Path, *arguments: str, regions: Sequence[str] = (HOME,), command: Sequence[str] = COMMAND
    ) -> None:
        begun = time.monotonic()
        registries = [one for region in regions for one in ("--registry", f"{ACCOUNT}/{region}")]
        self.process = subprocess.Popen(
            [*command, "--data", str(data), *registries, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        told = [self.process.stdout.readline().split()[-1] for _ in ("endpoint", *regions)]
        self.seconds_to_start = time.monotonic() - begun
        super().__init__(told[0], dict(zip(regions, told[1:], strict=True)))

    def peak_memory(self) -> int:
        """The most bytes that the process has had in memory so far (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """SIGKILL; nothing is when it has already ended."""
        self.process.kill()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.http.clear()


@contextmanager
def running(data: Path, *arguments: str, **options: Any) -> Iterator[Server]:
    """A server that is killed at the end of the block, if it lives then."""
    server = Server(data, *arguments, **options)
    try:
        yield server
    finally:
        server.kill()


class Opened(Faces):
    """The same in this process, which is faster to start, ends in order, and has a clock that can be moved."""

    def __init__(self, ecr: LocalEcr, server: LocalEcrServer, regions: Sequence[str]) -> None:
        self.ecr = ecr
        super().__init__(server.endpoint_url, {region: server.registry_url(ACCOUNT, region) for region in regions})


@contextmanager
def opened(
    data: Path,
    *,
    quirks: str = "ecr",
    regions: Sequence[str] = (HOME,),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Opened]:
    ecr = LocalEcr(data, quirks=Quirks.parse(quirks), clock=clock)
    with LocalEcrServer(ecr, [(ACCOUNT, region) for region in regions]) as server:
        faces = Opened(ecr, server, regions)
        yield faces
        faces.http.clear()


def manifest_of(config: str, layers: Sequence[str] = (), **members: Any) -> bytes:
    """A manifest of blobs, by their digests; what it says of their sizes is nobody's business here."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": config, "size": 1},
        "layers": [{"mediaType": OCI_LAYER, "digest": one, "size": 1} for one in layers],
        **members,
    }
    return json.dumps(document).encode()
