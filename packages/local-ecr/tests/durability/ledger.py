"""What one repository was acknowledged to hold, and what it may hold besides when a request was cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tests.durability.process import HOME, Faces, digest_of


@dataclass(frozen=True)
class Holding:
    tags: Mapping[str, str] = field(default_factory=dict)
    """The digest that each tag names."""
    images: Mapping[str, bytes] = field(default_factory=dict)
    """The manifest of each image."""
    blobs: frozenset[str] = frozenset()

    def with_blob(self, digest: str) -> Holding:
        return replace(self, blobs=self.blobs | {digest})

    def without_blob(self, digest: str) -> Holding:
        return replace(self, blobs=self.blobs - {digest})

    def with_image(self, body: bytes, image_tag: str | None = None) -> Holding:
        digest = digest_of(body)
        tags = {**self.tags, image_tag: digest} if image_tag else self.tags
        return replace(self, tags=tags, images={**self.images, digest: body})

    def without_image(self, digest: str) -> Holding:
        tags = {one: named for one, named in self.tags.items() if named != digest}
        return replace(self, tags=tags, images={one: body for one, body in self.images.items() if one != digest})

    def without_tag(self, image_tag: str) -> Holding:
        """The last tag takes its image with it."""
        digest = self.tags[image_tag]
        tags = {one: named for one, named in self.tags.items() if one != image_tag}
        return replace(self, tags=tags) if digest in tags.values() else self.without_image(digest)

    @property
    def parts(self) -> set[str]:
        """The blobs that an image is made of."""
        return set().union(*map(blobs_of, self.images.values()))


def blobs_of(body: bytes) -> list[str]:
    manifest = json.loads(body)
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def subject_of(body: bytes) -> str | None:
    subject = json.loads(body).get("subject")
    return subject["digest"] if subject else None


class Ledger:
    """Of one repository that one client at a time changes: every answer is entered, and the rest is in flight."""

    def __init__(self, repository_name: str) -> None:
        self.repository_name = repository_name
        self.holding: Holding | None = None
        """None: there is no such repository."""
        self.acknowledged = 0
        self._in_flight: list[Holding | None] = []
        self._unseen: set[str] = set()
        self._gone: set[str] = set()

    @property
    def held(self) -> Holding:
        assert self.holding is not None, f"{self.repository_name} is not there"
        return self.holding

    def change(self, after: Holding | None, ask: Callable[[], bool]) -> bool:
        """`ask` for a change; True when it was acknowledged. Whatever ends it leaves it in flight."""
        self._in_flight = [after]
        is_done = ask()
        self._in_flight = []
        if is_done:
            self.acknowledged += 1
            self._enter(after)
        return is_done

    def settle(self, server: Faces) -> None:
        """After a restart: what was acknowledged is there, what was in flight is there whole or not at all."""
        possible = [self.holding, *self._in_flight]
        is_there, tags, digests = self._look(server)
        fitting = [
            one
            for one in possible
            if (one is not None) == is_there
            and (one is None or (one.tags == tags and set(one.images) == digests and self._has_blobs(server, one)))
        ]
        assert fitting, f"{self.repository_name} holds {tags} and {digests}, none of {possible}"
        self._in_flight = []
        self._enter(fitting[-1])
        self.check(server, self._unseen)

    def check(self, server: Faces, digests: Iterable[str], region: str = HOME) -> None:
        """Images are the bytes that were sent, and so are the blobs that they are made of."""
        for digest in set(digests) & set(self.holding.images if self.holding else ()):
            body = self.get(server, f"manifests/{digest}", region)
            assert body == self.held.images[digest], f"{digest} is another manifest"
            for blob in blobs_of(body):
                assert digest_of(self.get(server, f"blobs/{blob}", region)) == blob, f"{blob} has other bytes"
        self._unseen.clear()

    def check_all(self, server: Faces, region: str = HOME) -> None:
        is_there, tags, digests = self._look(server, region)
        assert is_there == (self.holding is not None), f"{self.repository_name} in {region}"
        if self.holding is None:
            return
        held = self.held.tags, set(self.held.images)
        assert (tags, digests) == held, f"{self.repository_name} in {region} holds {tags} and {digests}, not {held}"
        self.check(server, self.held.images, region)
        for image_tag, digest in self.held.tags.items():
            assert self.get(server, f"manifests/{image_tag}", region) == self.held.images[digest]
        for digest in self.held.images:
            naming = {one for one, body in self.held.images.items() if subject_of(body) == digest}
            assert naming == self._referrers(server, digest, region)

    def get(self, server: Faces, path: str, region: str = HOME) -> bytes:
        answer = server.send("GET", f"/v2/{self.repository_name}/{path}", region=region)
        assert answer.status == 200, f"{path} of {self.repository_name} was acknowledged: {answer.status}"
        return answer.data

    def _enter(self, holding: Holding | None) -> None:
        before, after = self.holding or Holding(), holding or Holding()
        self._unseen |= set(after.images) - set(before.images)
        self._gone = (self._gone | before.blobs) - after.blobs if holding else set()
        self.holding = holding

    def _look(self, server: Faces, region: str = HOME) -> tuple[bool, dict[str, str], set[str]]:
        named = {"repositoryName": self.repository_name, "maxResults": 1000}
        status, listed = server.call("ListImages", region, **named)
        if status != 200:
            assert listed["__type"] == "RepositoryNotFoundException", listed
            return False, {}, set()
        assert "nextToken" not in listed, "one page is enough for what these tests push"
        tags = {one["imageTag"]: one["imageDigest"] for one in listed["imageIds"] if "imageTag" in one}
        return True, tags, {one["imageDigest"] for one in listed["imageIds"]}

    def _has_blobs(self, server: Faces, holding: Holding) -> bool:
        """Whether its blobs are there, and those that were deleted are not."""
        digests = sorted(holding.blobs | self._gone | (self.holding or Holding()).blobs)
        named = {"repositoryName": self.repository_name}
        found: set[str] = set()
        for begin in range(0, len(digests), 100):
            page = server.done("BatchCheckLayerAvailability", **named, layerDigests=digests[begin : begin + 100])
            found |= {one["layerDigest"] for one in page["layers"] if one["layerAvailability"] == "AVAILABLE"}
        return found == holding.blobs

    def _referrers(self, server: Faces, digest: str, region: str) -> set[str]:
        found = json.loads(self.get(server, f"referrers/{digest}", region))
        return {one["digest"] for one in found["manifests"]}
