"""Places that images are copied between, and a reader that nobody of ours wrote: plain HTTP, and plain files."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import urllib3

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.registry_store import RegistryStore
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import MANIFEST_MEDIA_TYPES
from ecr_steward.ports.stores import ImageStore
from ecr_steward_cli.copying.layout import NAME, LayoutStore
from lab.client_matrix.registry import ACCOUNT, REGIONS, Registry
from lab.cncf_distribution import cncf_distribution
from local_ecr import LocalEcr, LocalEcrServer, Quirks

_FOREIGN_LAYERS = 'validation: {manifests: {urls: {allow: ["^https://example.com/"]}}}\n'
_ONCE_MORE = urllib3.Retry(3, status_forcelist=[500], backoff_factor=0.02, raise_on_status=False)
"""CNCF distribution says 500 of a tag whose file it is just writing."""


class Reader(Protocol):
    """What is in one repository or folder, byte for byte."""

    def tags(self) -> list[str]: ...
    def manifest(self, reference: str) -> bytes | None: ...
    def blob(self, digest: str) -> bytes | None: ...


class Place(Protocol):
    """One repository, or one folder."""

    def store(self, by: str | None = None) -> ImageStore:
        """For the copier; ``by`` is another address of the same registry."""
        ...

    def reader(self) -> Reader: ...


def whole(reader: Reader, reference: str, *, missing: list[str] | None = None) -> dict[str, bytes]:
    """All that an image consists of, by digest. What is not there, or is not what its digest says, is ``missing``."""
    lost: list[str] = [] if missing is None else missing
    found: dict[str, bytes] = {}

    def walk(reference: str) -> None:
        content = reader.manifest(reference)
        digest = reference if ":" in reference else digest_of(content or b"")
        if content is None or digest_of(content, digest.partition(":")[0]) != digest:
            lost.append(f"the manifest {reference}")
            return
        found[digest] = content
        document = json.loads(content)
        for child in document.get("manifests", ()):
            if child["digest"] not in found:
                walk(child["digest"])
        for blob in [document["config"], *document["layers"]] if "config" in document else ():
            if "urls" in blob or blob["digest"] in found:
                continue
            data = reader.blob(blob["digest"])
            if data is None or digest_of(data, blob["digest"].partition(":")[0]) != blob["digest"]:
                lost.append(f"the blob {blob['digest']} of {reference}")
            else:
                found[blob["digest"]] = data

    walk(reference)
    if missing is None:
        assert not lost, f"{reference} lacks {', '.join(lost)}"
    return found


def broken(reader: Reader) -> list[str]:
    """What any tag of a repository shows, and is not there. CNCF distribution lists a tag before it shows anything."""
    lost: list[str] = []
    for tag in [tag for tag in reader.tags() if reader.manifest(tag)]:
        missing: list[str] = []
        whole(reader, tag, missing=missing)
        lost += [f"{tag} lacks {each}" for each in missing]
    return lost


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass
class RegistryReader:
    """By HTTP alone."""

    url: str
    name: str
    authorization: str = ""
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=_ONCE_MORE))

    def tags(self) -> list[str]:
        answer = self._get("tags/list?n=1000")
        return (json.loads(answer).get("tags") or []) if answer else []

    def manifest(self, reference: str) -> bytes | None:
        return self._get(f"manifests/{reference}")

    def blob(self, digest: str) -> bytes | None:
        return self._get(f"blobs/{digest}")

    def listed(self, subject: str) -> set[str]:
        """What refers to an image: by the referrers API, or by its fallback tag."""
        answer = self._get(f"referrers/{subject}") or self.manifest(subject.replace(":", "-"))
        return {each["digest"] for each in json.loads(answer)["manifests"]} if answer else set()

    def _get(self, path: str) -> bytes | None:
        headers = {"Accept": ", ".join(MANIFEST_MEDIA_TYPES)}
        if self.authorization:
            headers["Authorization"] = self.authorization
        answer = self.http.request("GET", f"{self.url}/v2/{self.name}/{path}", headers=headers)
        assert answer.status in (200, 404), f"{path}: {answer.status} {answer.data[:300]!r}"
        return answer.data if answer.status == 200 else None


@dataclass
class FolderReader:
    """By reading files alone."""

    folder: Path

    def tags(self) -> list[str]:
        return list(self._tagged())

    def manifest(self, reference: str) -> bytes | None:
        digest = reference if ":" in reference else self._tagged().get(reference)
        return self.blob(digest) if digest else None

    def blob(self, digest: str) -> bytes | None:
        path = self.folder / "blobs" / digest.replace(":", "/")
        return path.read_bytes() if path.exists() else None

    def listed(self, subject: str) -> set[str]:
        found = [(each["digest"], json.loads(self.blob(each["digest"]) or b"{}")) for each in self._entries()]
        return {digest for digest, document in found if document.get("subject", {}).get("digest") == subject}

    def _tagged(self) -> dict[str, str]:
        named = [(each.get("annotations", {}).get(NAME), each["digest"]) for each in self._entries()]
        return {name: digest for name, digest in named if name}

    def _entries(self) -> list[dict[str, Any]]:
        index = self.folder / "index.json"
        entries: list[dict[str, Any]] = json.loads(index.read_bytes())["manifests"] if index.exists() else []
        return entries


@dataclass
class Repository:
    url: str
    name: str
    authorization: str
    transport: Transport
    is_ecr: bool

    def store(self, by: str | None = None) -> RegistryStore:
        client = DistributionClient(
            by or self.url, lambda: self.authorization, transport=self.transport, is_ecr=self.is_ecr
        )
        return RegistryStore(client, self.name)

    def reader(self) -> RegistryReader:
        return RegistryReader(self.url, self.name, self.authorization)


@dataclass
class Folder:
    folder: Path

    def store(self, by: str | None = None) -> LayoutStore:
        return LayoutStore(self.folder)

    def reader(self) -> FolderReader:
        return FolderReader(self.folder)


def impatient() -> Transport:
    """Retries at once, whatever the server says, and waits a moment for a byte."""
    return Transport(
        retries=PATIENT.new(backoff_factor=0, backoff_jitter=0, retry_after_max=0), read_seconds=1, idle=32
    )


@dataclass
class World:
    """Makes places of the kinds that there are, each as often as it is asked for."""

    at: Callable[[str], str]
    folder: Path
    transport: Transport
    ecr: Callable[[], Registry]

    @cached_property
    def _client(self) -> Any:
        return self.ecr().client()

    @cached_property
    def _token(self) -> str:
        return self.ecr().token()

    def place(self, kind: str, **settings: Any) -> Any:
        name = f"faults/r{uuid.uuid4().hex}"
        match kind:
            case "folder":
                return Folder(self.folder / name)
            case "ecr":
                self._client.create_repository(repositoryName=name, **settings)
                return Repository(self.at(kind), name, f"Basic {self._token}", self.transport, is_ecr=True)
            case _:
                return Repository(self.at(kind), name, "", self.transport, is_ecr=False)


@contextmanager
def local_ecr(folder: Path, quirks: Quirks) -> Iterator[Registry]:
    with LocalEcrServer(LocalEcr(folder, quirks=quirks), [(ACCOUNT, REGIONS[0])]) as server:
        yield Registry(server.endpoint_url, {REGIONS[0]: server.registry_url(ACCOUNT, REGIONS[0])})


@contextmanager
def distribution(folder: Path) -> Iterator[str]:
    """The URL of CNCF distribution, which has no referrers API."""
    with cncf_distribution(folder, more=_FOREIGN_LAYERS) as host:
        yield f"http://{host}"
