"""Attacks on the transfer itself: answers that wait, drip, break off or say that all went well."""

from __future__ import annotations

import time

from lab.hostile.attack import SOURCE, Attack, Side, destination_of
from lab.hostile.content import Content, digest_of, layer
from lab.hostile.registry import Registry
from lab.hostile.serving import Exchange

_BOUNDLESS = 1 << 40


class LongWait(Attack):
    number = 21
    name = "Retry-After: 10^9"
    said = "429"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange):
            return False
        exchange.refuse(429, "TOOMANYREQUESTS", {"Retry-After": str(10**9)})
        return True


class Drip(Attack):
    number = 22
    name = "slow-loris body (1 byte/s)"
    said = "bytes in .* s"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange):
            return False
        exchange.begin(200, {"Content-Length": str(len(self.layer.content))})
        for byte in self.layer.content:
            exchange.wfile.write(bytes([byte]))
            time.sleep(1)
        return True


class WrongLength(Attack):
    """Who hashes what came can do without the length."""

    number = 23
    name = "wrong Content-Length"
    references = ("short", "long")
    may_succeed = True

    def said_of(self, reference: str) -> str | None:
        return "bytes of sha256:.* were sent" if reference == "short" else None

    def image(self, reference: str) -> Content:
        self.layer = layer(self.references.index(reference))
        return super().image(reference)

    def fill(self, registry: Registry) -> None:
        super().fill(registry)
        registry.hold(SOURCE, layer(0), layer(1))

    def answer(self, exchange: Exchange) -> bool:
        lengths = ((layer(0), len(layer(0).content) - 1000), (layer(1), _BOUNDLESS))
        for blob, length in lengths:
            if exchange.command == "GET" and exchange.place.endswith(blob.digest):
                exchange.cut(200, blob.content, {"Content-Length": str(length)})
                return True
        return False


class BackwardsRange(Attack):
    """A download that breaks, and goes on from before; and an upload of which less is there each time."""

    number = 24
    name = "chunk Range going backwards"
    side = Side.BOTH
    references = ("download", "upload")
    may_succeed = True

    def said_of(self, reference: str) -> str | None:
        return "goes on elsewhere" if reference == "download" else None

    def image(self, reference: str) -> Content:
        self.layer = layer(self.references.index(reference))
        return super().image(reference)

    def fill(self, registry: Registry) -> None:
        super().fill(registry)
        registry.hold(SOURCE, layer(0), layer(1))

    def answer(self, exchange: Exchange) -> bool:
        digest, content = layer(0).digest, layer(0).content
        if exchange.command == "PATCH":
            exchange.send(202, b"", {"Location": exchange.place, "Range": "0-9"})
            return True
        if exchange.command != "GET" or not exchange.place.endswith(digest):
            return False
        half = len(content) // 2
        if "Range" not in exchange.headers:
            exchange.cut(200, content[:half], {"Content-Length": str(len(content))})
        else:
            length = {"Content-Length": str(len(content) - half)}
            exchange.cut(206, content[:1000], {**length, "Content-Range": f"bytes 0-{half - 1}/{len(content)}"})
        return True


class NothingStored(Attack):
    number = 25
    name = "201 on a PUT that stored nothing"
    side = Side.DESTINATION
    references = ("blobs", "manifests")

    def said_of(self, reference: str) -> str | None:
        return "sha256:.* was accepted, and is not there"

    def answer(self, exchange: Exchange) -> bool:
        is_blob = "digest" in exchange.parameters
        is_lost = destination_of("blobs" if is_blob else "manifests") in exchange.place
        if exchange.command != "PUT" or not is_lost:
            return False
        digest = exchange.parameters["digest"] if is_blob else digest_of(exchange.body)
        exchange.send(201, b"", {"Docker-Content-Digest": digest, "Location": exchange.place})
        return True


ATTACKS = (LongWait, Drip, WrongLength, BackwardsRange, NothingStored)
