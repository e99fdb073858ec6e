"""Whatever is pushed, mounted, copied and deleted, and however time passes: the bits on disk are those in use."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.durability.folder import check_folder
from tests.durability.process import ACCOUNT, AWAY, HOME, digest_of, manifest_of, opened

PUSH_LIFETIME = timedelta(hours=24)
REPLICATION = {"destinations": [{"region": AWAY, "registryId": ACCOUNT}], "deleteReplication": {"enabled": True}}
CONTENTS = [f"content {number}".encode() for number in range(4)]

names = st.sampled_from(["team/one", "team/two"])
contents = st.sampled_from(CONTENTS)


@dataclass
class Repository:
    """What a repository should have."""

    layers: dict[str, datetime] = field(default_factory=dict)
    """When each was uploaded, mounted or copied last."""
    images: dict[str, set[str]] = field(default_factory=dict)
    """The layers that each image is made of."""

    def drop(self, digests: set[str], now: datetime) -> None:
        """Those layers go that no image is made of, when their push is long over."""
        used = set().union(*self.images.values())
        for digest in digests - used:
            if digest in self.layers and self.layers[digest] < now - PUSH_LIFETIME:
                del self.layers[digest]


class Registry(RuleBasedStateMachine):
    """Two repositories of one registry, which are copied into another."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="collection-"))
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.home: dict[str, Repository] = {}
        self.away: dict[str, Repository] = {}
        self.open()
        rules = {"replicationConfiguration": {"rules": [REPLICATION]}}
        self.server.done("PutReplicationConfiguration", **rules)
        for name in ("team/one", "team/two"):
            self.make(name)

    def open(self) -> None:
        self.stack = ExitStack()
        folder = opened(self.folder, quirks="none", regions=(HOME, AWAY), clock=lambda: self.now)
        self.server = self.stack.enter_context(folder)

    def make(self, name: str) -> None:
        self.server.done("CreateRepository", repositoryName=name)
        self.home[name] = Repository()

    @rule(name=names, data=contents)
    def push_a_blob(self, name: str, data: bytes) -> None:
        self.home[name].layers[self.server.push_blob(name, data)] = self.now

    @rule(name=names, data=contents)
    def begin_an_upload(self, name: str, data: bytes) -> None:
        location = self.server.send("POST", f"/v2/{name}/blobs/uploads/").headers["Location"]
        assert self.server.send("PATCH", location, data).status == 202

    @rule(name=names, data=contents)
    def mount_a_blob(self, name: str, data: bytes) -> None:
        digest = digest_of(data)
        [other] = set(self.home) - {name}
        answer = self.server.send("POST", f"/v2/{name}/blobs/uploads/?mount={digest}&from={other}")
        assert answer.status == (201 if digest in self.home[other].layers else 202)
        if answer.status == 201:
            self.home[name].layers[digest] = self.now

    @rule(name=names, chosen=st.sets(contents, min_size=1, max_size=2))
    def push_an_image(self, name: str, chosen: set[bytes]) -> None:
        digests = sorted(map(digest_of, chosen))
        body, repository = manifest_of(digests[0], digests[1:]), self.home[name]
        answer = self.server.push_manifest(name, digest_of(body), body)
        assert answer.status == (201 if set(digests) <= set(repository.layers) else 400)
        if answer.status == 400 or digest_of(body) in repository.images:
            return
        repository.images[digest_of(body)] = set(digests)
        copy = self.away.setdefault(name, Repository())
        copy.images[digest_of(body)] = set(digests)
        copy.layers = dict.fromkeys(digests, self.now) | copy.layers

    @rule(name=names, number=st.integers(0, 5))
    def delete_an_image(self, name: str, number: int) -> None:
        images = sorted(self.home[name].images)
        if not images:
            return
        digest = images[number % len(images)]
        assert self.server.send("DELETE", f"/v2/{name}/manifests/{digest}").status == 202
        for repository in (self.home[name], self.away[name]):
            repository.drop(repository.images.pop(digest), self.now)

    @rule(name=names, data=contents)
    def delete_a_blob(self, name: str, data: bytes) -> None:
        digest, repository = digest_of(data), self.home[name]
        used = set().union(*repository.images.values())
        answer = self.server.send("DELETE", f"/v2/{name}/blobs/{digest}")
        assert answer.status == (404 if digest not in repository.layers else 403 if digest in used else 202)
        if answer.status == 202:
            del repository.layers[digest]

    @rule(name=names)
    def delete_a_repository_and_make_it_again(self, name: str) -> None:
        self.server.done("DeleteRepository", repositoryName=name, force=True)
        self.make(name)

    @rule(hours=st.integers(1, 30))
    def let_time_pass(self, hours: int) -> None:
        self.server.ecr.wait_until_idle()  # what is copied is copied before
        self.now += timedelta(hours=hours)
        self.server.ecr.run_due()
        self.server.renew()
        for repository in (*self.home.values(), *self.away.values()):
            repository.drop(set(repository.layers), self.now)

    @rule()
    def start_again(self) -> None:
        self.server.ecr.wait_until_idle()
        self.stack.close()
        check_folder(self.folder)
        self.open()

    @invariant()
    def the_bits_on_disk_are_those_in_use(self) -> None:
        self.server.ecr.wait_until_idle()
        for region, repositories in ((HOME, self.home), (AWAY, self.away)):
            used = {digest for one in repositories.values() for digest in one.layers}
            found = (self.folder / ACCOUNT / region / "blobs" / "sha256").glob("*")
            assert {f"sha256:{path.name}" for path in found} == used, region

    def readable(self) -> Iterator[tuple[str, str, bytes, bool]]:
        for region, repositories in ((HOME, self.home), (AWAY, self.away)):
            for name, repository in repositories.items():
                for data in CONTENTS:
                    yield region, name, data, digest_of(data) in repository.layers

    def teardown(self) -> None:
        try:
            for region, name, data, is_there in self.readable():
                answer = self.server.send("GET", f"/v2/{name}/blobs/{digest_of(data)}", region=region)
                assert (answer.status, answer.data if is_there else data) == (200 if is_there else 404, data)
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)


TestRegistry = pytest.mark.slow(Registry.TestCase)
TestRegistry.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
