"""A registry in memory that means well, unless an attack is in it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.hostile.content import CONFIG, Content, digest_of
from lab.hostile.serving import Exchange

USER = "ann"
PASSWORD = "pa55-canary"
TOKEN = "t0ken-canary"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, BASIC, TOKEN)
_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags|referrers)/(?P<rest>.*)")

type Hook = Callable[[Exchange], bool]


def _never(exchange: Exchange) -> bool:
    return False


@dataclass
class Registry:
    """Repositories, and a login that is asked for by a token from the registry itself."""

    wants_login: bool = False
    realm: Callable[[], str] = str
    """Where it says that its tokens come from."""
    before_login: Hook = _never
    """An attack's answer to a request, before anybody is asked for a login; false where it has none."""
    after_login: Hook = _never
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """By repository, and digest."""
    manifests: dict[tuple[str, str], Content] = field(default_factory=dict)
    """By repository, and tag or digest."""
    requests: int = 0
    _uploads: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, image: Content, *tags: str, blobs: tuple[Content, ...] = ()) -> None:
        """Have an image, and blobs beside its config."""
        self.hold(name, CONFIG, *blobs)
        self.manifests |= {(name, reference): image for reference in (image.digest, *tags)}

    def hold(self, name: str, *blobs: Content) -> None:
        """Have blobs in a repository."""
        self.blobs |= {(name, each.digest): each.content for each in blobs}

    def tags(self, name: str) -> list[str]:
        """The tags of a repository."""
        return sorted(tag for where, tag in self.manifests if where == name and ":" not in tag)

    def is_whole(self, name: str, reference: str) -> bool:
        """Whether all that an image leads to is there, and is what its digest says."""
        waiting = [reference]
        while waiting:
            found = self.manifests.get((name, waiting.pop()))
            if found is None:
                return False
            document = json.loads(found.content)
            blobs = [each["digest"] for each in pointed_to(document) if not is_elsewhere(each)]
            if any(digest_of(self.blobs.get((name, digest), b"")) != digest for digest in blobs):
                return False
            waiting += [child["digest"] for child in document.get("manifests", ())]
        return True

    def answer(self, exchange: Exchange) -> None:
        """Answer a request."""
        self.requests += 1
        if self.before_login(exchange):
            return
        if exchange.place == "/token":
            self._give_token(exchange)
        elif self.wants_login and exchange.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.challenge(exchange)
        elif not self.after_login(exchange):
            self._serve(exchange)

    def challenge(self, exchange: Exchange) -> None:
        """Ask for a login."""
        header = f'Bearer realm="{self.realm()}",service="registry"'
        exchange.refuse(401, "UNAUTHORIZED", {"WWW-Authenticate": header})

    def _give_token(self, exchange: Exchange) -> None:
        if exchange.headers.get("Authorization") == f"Basic {BASIC}" or PASSWORD in exchange.body.decode():
            exchange.say(200, {"token": TOKEN, "access_token": TOKEN})
        else:
            exchange.refuse(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="here"'})

    def _serve(self, exchange: Exchange) -> None:
        found = _ROUTE.fullmatch(exchange.place)
        if found is None:
            exchange.say(200 if exchange.place == "/v2/" else 404, {})
            return
        name, kind, rest = found["name"], found["kind"], found["rest"]
        if kind == "manifests":
            self._manifest(exchange, name, rest)
        elif kind == "tags":
            exchange.say(200, {"name": name, "tags": self.tags(name)})
        elif kind == "referrers":
            exchange.refuse(404, "NOT_FOUND")
        elif rest.startswith("uploads/"):
            self._upload(exchange, name)
        else:
            self._blob(exchange, name, rest)

    def _manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        if exchange.command == "PUT":
            image = Content(exchange.headers["Content-Type"], exchange.body)
            self.manifests |= {(name, key): image for key in (reference, image.digest)}
            exchange.send(201, b"", {"Docker-Content-Digest": image.digest, "Location": exchange.place})
        elif (found := self.manifests.get((name, reference))) is None:
            exchange.refuse(404, "MANIFEST_UNKNOWN")
        else:
            headers = {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}
            exchange.send(200, found.content, headers)

    def _blob(self, exchange: Exchange, name: str, digest: str) -> None:
        content = self.blobs.get((name, digest))
        if content is None:
            exchange.refuse(404, "BLOB_UNKNOWN")
            return
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", exchange.headers.get("Range", ""))
        if asked:
            headers["Content-Range"] = f"bytes {asked[1]}-{len(content) - 1}/{len(content)}"
        exchange.send(206 if asked else 200, content[int(asked[1]) if asked else 0 :], headers)

    def _upload(self, exchange: Exchange, name: str) -> None:
        place = exchange.place
        if exchange.command == "POST":
            place += str(len(self._uploads) + 1)
            self._uploads[place] = b""
            exchange.send(202, b"", {"Location": place, "Range": "0-0"})
            return
        content = self._uploads[place] = self._uploads.get(place, b"") + exchange.body
        if exchange.command == "PUT":
            digest = exchange.parameters["digest"]
            if digest_of(content) != digest:
                exchange.refuse(400, "DIGEST_INVALID")
                return
            self.blobs[name, digest] = content
            exchange.send(201, b"", {"Docker-Content-Digest": digest, "Location": place})
        else:
            exchange.send(202, b"", {"Location": place, "Range": f"0-{max(len(content) - 1, 0)}"})


def pointed_to(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The descriptors of an image's blobs."""
    if "config" in document:
        yield document["config"]
    yield from document.get("layers", ())


def is_elsewhere(descriptor: dict[str, Any]) -> bool:
    """Whether a registry need not hold it."""
    return "foreign" in descriptor["mediaType"] or "nondistributable" in descriptor["mediaType"]
