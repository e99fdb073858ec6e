"""Each sentence of the OCI distribution specification 1.1 that binds a registry is one test, run on two registries.

local_ecr runs without quirks, as a plain registry. CNCF distribution 2.8.3 (Debian's docker-registry) is the measure
that nobody here wrote: where it does otherwise, `differences.json` says what it does instead and why, and the
difference is asserted, so that a table which is out of date fails.
"""

import hashlib
import json
import uuid
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
import urllib3

from lab.cncf_distribution import cncf_distribution
from local_ecr import LocalEcr, LocalEcrServer, Quirks

HERE = Path(__file__).parent
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFESTS = [
    OCI_MANIFEST,
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
]


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@dataclass
class Repository:
    """A repository that only its test knows, spoken to as the specification says and no library would."""

    url: str
    name: str
    http: urllib3.PoolManager

    def at(self, name: str) -> "Repository":
        return Repository(self.url, name, self.http)

    def send(
        self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> urllib3.BaseHTTPResponse:
        """`path` is below the repository, or a location that the registry gave. `query` is added to what it has."""
        target = path if path.startswith(("/", "http")) else f"/v2/{self.name}/{path}"
        if query:
            target += ("&" if "?" in target else "?") + urlencode(query)
        return self.http.request(method, urljoin(self.url, target), body=body, headers=dict(headers or {}))

    def begin(self) -> str:
        """The location of a new upload."""
        begun = expect(self.send("POST", "blobs/uploads/", headers={"Content-Length": "0"}), 202)
        return str(begun.headers["Location"])

    def patch(self, location: str, data: bytes, first: int) -> urllib3.BaseHTTPResponse:
        """One chunk, that begins at this byte."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{first}-{first + len(data) - 1}",
            "Content-Length": str(len(data)),
        }
        return self.send("PATCH", location, body=data, headers=headers)

    def push_blob(self, data: bytes, algorithm: str = "sha256") -> str:
        digest = digest_of(data, algorithm)
        expect(self.send("PUT", self.begin(), body=data, digest=digest), 201)
        return digest

    def descriptor(self, blob: bytes, media_type: str, algorithm: str = "sha256", **members: Any) -> dict[str, Any]:
        """Of a blob that is pushed."""
        digest = self.push_blob(blob, algorithm)
        return {"mediaType": media_type, "digest": digest, "size": len(blob), **members}

    def image(self, text: str = "", **members: Any) -> dict[str, Any]:
        """A manifest of one config and one layer, which are pushed; it is not."""
        return {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.descriptor(f'{{"history": "{text}"}}'.encode(), OCI_CONFIG),
            "layers": [self.descriptor(f"layer {text}".encode(), OCI_LAYER)],
            **members,
        }

    def put(self, reference: str, document: Mapping[str, Any] | bytes, media_type: str | None = None) -> Any:
        """Push a manifest, as whatever it says that it is."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        kind = media_type or json.loads(body)["mediaType"]
        return self.send("PUT", f"manifests/{reference}", body=body, headers={"Content-Type": kind})

    def push(self, document: Mapping[str, Any], reference: str | None = None) -> str:
        """Push a manifest, by its digest unless a tag is given; its digest."""
        body = json.dumps(document).encode()
        expect(self.put(reference or digest_of(body), body), 201)
        return digest_of(body)

    def get(self, reference: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
        return self.send(method, f"manifests/{reference}", headers={"Accept": ", ".join(MANIFESTS)})


def expect(answer: urllib3.BaseHTTPResponse, *statuses: int) -> urllib3.BaseHTTPResponse:
    """Fail with what came instead."""
    wanted = " or ".join(map(str, statuses))
    assert answer.status in statuses, f"answered {answer.status}, not {wanted}: {answer.data[:300]!r}"
    return answer


@pytest.fixture(name="expect", scope="session")
def _expect() -> Any:
    return expect


@pytest.fixture(name="digest_of", scope="session")
def _digest_of() -> Any:
    return digest_of


@pytest.fixture(scope="session")
def local_ecr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ecr = LocalEcr(tmp_path_factory.mktemp("local_ecr"), quirks=Quirks.none())
    with LocalEcrServer(ecr, [("111122223333", "us-east-1")]) as server:
        yield server.registry_url("111122223333", "us-east-1")


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cncf_distribution(tmp_path_factory.mktemp("distribution")) as host:
        yield f"http://{host}"


@pytest.fixture(params=["local_ecr", pytest.param("distribution", marks=pytest.mark.client)])
def registry(request: pytest.FixtureRequest) -> str:
    """The URL of a registry."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def repository(registry: str) -> Iterator[Repository]:
    """One that is not there before it is pushed to."""
    http = urllib3.PoolManager(retries=urllib3.Retry(connect=0, read=0, redirect=3), timeout=20)
    with http:
        yield Repository(registry, f"spec/r{uuid.uuid4().hex}", http)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that distribution is known to fail must fail there, in the way that is known."""
    difference = _difference(pyfuncitem)
    try:
        result = yield
    except AssertionError as failure:
        if difference is None or difference["seen"] not in str(failure):
            raise
        return True
    assert difference is None, f"distribution does what it is said not to do: {difference['why']}"
    return result


def _difference(test: pytest.Function) -> dict[str, str] | None:
    """What is known of a test on distribution: by its name with its parameters, or by its name for all of them."""
    callspec = getattr(test, "callspec", None)
    if callspec is None or callspec.params.get("registry") != "distribution":
        return None
    differences: dict[str, dict[str, str]] = json.loads((HERE / "differences.json").read_text())
    others = "-".join(part for part in callspec.id.split("distribution") if part).strip("-").replace("--", "-")
    return differences.get(f"{test.originalname}[{others}]", differences.get(test.originalname))
