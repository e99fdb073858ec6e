"""A server that is attacked: it must go on serving, stay calm, and write nowhere but into its folder."""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import ACCOUNT, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, REGION, Stand, start
from tests.hostile.wire import Answer, Wire, signature

ELSEWHERE = "eu-west-1"
"""The other region that is served."""
REPOSITORY = "fuzz/app"
NOWHERE = f"sha256:{'0' * 64}"
OWN_FILES = frozenset({"lock", "state.sqlite3", "state.sqlite3-wal", "state.sqlite3-shm", ACCOUNT})


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def encoded(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def index_of(*children: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An index that lists these descriptors."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children), **members}


def descriptor(digest: str, media_type: str = OCI_MANIFEST, size: int = 2) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


class Records(logging.Handler):
    """Everything that a process logs, at whatever level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@dataclass(repr=False)
class Victim:
    """A running server with one repository, spoken to as bytes."""

    stand: Stand
    logged: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        self.api = Wire(urlsplit(self.stand.server.endpoint_url).port or 0)
        assert self.api.call("CreateRepository", {"repositoryName": REPOSITORY}).status == 200
        self.v2 = self.wire(REGION)
        """The data plane of the account, with a good token."""

    def __repr__(self) -> str:
        return "victim"

    def wire(self, region: str) -> Wire:
        url = self.stand.server.registry_url(ACCOUNT, region)
        return Wire(urlsplit(url).port or 0, self.token(region))

    def token(self, region: str = REGION) -> str:
        """A new authorization token of the account."""
        answer = self.api.call("GetAuthorizationToken", {}, ("Authorization", signature(region=region)))
        return str(answer.json()["authorizationData"][0]["authorizationToken"])

    def blob_path(self, digest: str, region: str = REGION) -> Path:
        algorithm, _, encoded_digest = digest.partition(":")
        return self.stand.data / ACCOUNT / region / "blobs" / algorithm / encoded_digest

    def push_blob(self, data: bytes, name: str = REPOSITORY) -> str:
        digest = digest_of(data)
        answer = self.v2.send("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", body=data)
        assert answer.status == 201, answer.body
        return digest

    def image(self, text: str = "x", name: str = REPOSITORY, **members: Any) -> dict[str, Any]:
        """A manifest without layers, whose config is pushed."""
        config = encoded({"text": text})
        made_of = descriptor(self.push_blob(config, name), OCI_CONFIG, len(config))
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": made_of, "layers": [], **members}

    def put(
        self, document: Any, reference: str = "", media_type: str = "", name: str = REPOSITORY, wire: Wire | None = None
    ) -> Answer:
        """PUT a manifest as what it says it is, under its digest unless it is to have another reference."""
        body = document if isinstance(document, bytes) else encoded(document)
        if not media_type:
            media_type = OCI_MANIFEST if isinstance(document, bytes) else document["mediaType"]
        target = f"/v2/{name}/manifests/{reference or digest_of(body)}"
        return (wire or self.v2).send("PUT", target, body=body, headers=[("Content-Type", media_type)])

    def push(self, document: Any, reference: str = "", name: str = REPOSITORY) -> str:
        """Push a manifest that is good; its digest."""
        answer = self.put(document, reference, name=name)
        assert answer.status == 201, answer.body
        return str(answer.headers["Docker-Content-Digest"])

    def require_unharmed(self) -> None:
        """What holds after every attack: it serves, nothing failed inside, and no file is where none belongs."""
        assert self.wire(REGION).send("GET", "/v2/").status == 200
        assert self.api.call("DescribeRepositories", {}).status == 200
        self.stand.ecr.wait_until_idle(60)
        failed = [one.getMessage() for one in self.logged.found if one.exc_info or one.levelno >= logging.ERROR]
        assert failed == []
        self.require_own_files()

    def require_own_files(self) -> None:
        data = self.stand.data
        assert [path.name for path in data.parent.iterdir()] == [data.name]
        assert {path.name for path in data.iterdir()} <= OWN_FILES
        for path in (data / ACCOUNT).rglob("*"):
            region, *rest = path.relative_to(data / ACCOUNT).parts
            assert not path.is_symlink()
            assert region in (REGION, ELSEWHERE)
            match rest:
                case [] | ["blobs"] | ["uploads"] | ["blobs", "sha256" | "sha512"]:
                    assert path.is_dir()
                case ["blobs", "sha256" | "sha512", name]:
                    assert set(name) <= set("0123456789abcdef")
                case ["uploads", name]:
                    assert set(name.removeprefix("copy-")) <= set("0123456789abcdef-")
                case _:
                    raise AssertionError(f"what is {path}?")


@contextmanager
def attacked(folder: Path, **options: Any) -> Iterator[Victim]:
    """A server whose folder is alone in `folder`; how it stands when the attacks are over is checked."""
    stand = start(folder / "ecr", **options)
    records = Records()
    watched = [logging.getLogger(name) for name in ("local_ecr", "uvicorn", "asyncio")]
    for logger in watched:
        logger.addHandler(records)
    try:
        victim = Victim(stand, records)
        yield victim
        victim.require_unharmed()
    finally:
        for logger in watched:
            logger.removeHandler(records)
        stand.server.stop()
