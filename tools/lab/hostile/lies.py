"""Attacks by content that is not what it says, or that two readers understand differently."""

from __future__ import annotations

from lab.hostile.attack import SOURCE, Attack
from lab.hostile.content import CONFIG, OCI_INDEX, OCI_MANIFEST, Content, as_bytes, digest_of, index, layer, manifest
from lab.hostile.registry import Registry
from lab.hostile.serving import Exchange

_OTHER = manifest([layer(2).descriptor], annotations={"of": "another"})


class OtherManifest(Attack):
    number = 7
    name = "other manifest than the pinned digest"
    advisories = "CVE-2025-24882, GHSA-qv35-3gw6-8q4j"
    references = (manifest([layer().descriptor]).digest,)
    said = "answered with sha256:"

    def image(self, reference: str) -> Content:
        return manifest([self.layer.descriptor])

    def fill(self, registry: Registry) -> None:
        registry.put(SOURCE, _OTHER, blobs=(self.layer, layer(2)))

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange, *self.references):
            return False
        headers = {"Content-Type": _OTHER.media_type, "Docker-Content-Digest": self.references[0]}
        exchange.send(200, _OTHER.content, headers)
        return True


class OtherBlob(Attack):
    number = 8
    name = "blob with other content"
    advisories = "rust-oci-client#149"
    said = "have the hash"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange):
            return False
        exchange.send(200, layer(2).content, {"Docker-Content-Digest": self.layer.digest})
        return True


class OtherDigest(Attack):
    number = 9
    name = "Docker-Content-Digest lies on a tag pull"
    advisories = "distribution-spec#549"
    said = "says that its digest is"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange, "1.0"):
            return False
        image = self.image("1.0")
        lie = {"Content-Type": image.media_type, "Docker-Content-Digest": _OTHER.digest}
        exchange.send(200, image.content, lie)
        return True


class DigestIsPath(Attack):
    number = 10
    name = "layer digest sha256:../../…"
    advisories = "CVE-2024-3727, GHSA-6wvf-f2vw-3425"
    said = "a descriptor points to"

    def image(self, reference: str) -> Content:
        return manifest([self.layer.descriptor | {"digest": "sha256:../../../../../../etc/passwd"}])


class ImageAndIndex(Attack):
    number = 11
    name = "layers and manifests together"
    advisories = (
        "CVE-2021-41190, GHSA-mc8v-mgrf-8f4m, GHSA-77vh-xpmg-72qh, GHSA-qq97-vm5h-rrhg, "
        "GHSA-5j5w-g665-5m35, GHSA-xmmx-7jpf-fx42"
    )
    said = "but has 'manifests'"

    def image(self, reference: str) -> Content:
        return manifest([self.layer.descriptor], manifests=[_OTHER.descriptor])

    def fill(self, registry: Registry) -> None:
        super().fill(registry)
        registry.put(SOURCE, _OTHER, blobs=(layer(2),))


class DeepIndex(Attack):
    """Who copies all thousand levels and comes to an end has done as it was asked."""

    number = 26
    name = "index 1,000 levels deep"
    may_succeed = True
    said = "has more than 8 levels"

    def fill(self, registry: Registry) -> None:
        found = manifest([self.layer.descriptor])
        registry.put(SOURCE, found, blobs=(self.layer,))
        for _ in range(1000):
            found = index([found.descriptor])
            registry.put(SOURCE, found)
        registry.put(SOURCE, found, "1.0")


class OwnChild(Attack):
    """No index can list its own digest; a registry that answers to that digest with it can pretend so."""

    number = 27
    name = "index that contains itself"
    said = "answered with sha256:"
    _itself = digest_of(b"itself")

    def image(self, reference: str) -> Content:
        return index([{"mediaType": OCI_INDEX, "digest": self._itself, "size": 0}])

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange, self._itself):
            return False
        headers = {"Content-Type": OCI_INDEX, "Docker-Content-Digest": self._itself}
        exchange.send(200, self.image("1.0").content, headers)
        return True


class ImpossibleSize(Attack):
    number = 29
    name = "descriptor size −1 / 2^63"
    references = ("minus", "huge")
    said = "a descriptor has the size"

    def image(self, reference: str) -> Content:
        return manifest([self.layer.descriptor | {"size": -1 if reference == "minus" else 2**63}])


class TwoReadings(Attack):
    number = 30
    name = "manifest JSON with duplicate keys or lone surrogates"
    references = ("twice", "surrogate")

    def said_of(self, reference: str) -> str | None:
        return "a key occurs twice" if reference == "twice" else "half of a character"

    def image(self, reference: str) -> Content:
        if reference == "surrogate":
            return manifest([self.layer.descriptor], annotations={"title": "\ud800"})
        once = as_bytes({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG.descriptor})
        layers = as_bytes({"layers": [self.layer.descriptor]}), as_bytes({"layers": [layer(2).descriptor]})
        return Content(OCI_MANIFEST, once[:-1] + b"," + layers[0][1:-1] + b"," + layers[1][1:])

    def fill(self, registry: Registry) -> None:
        super().fill(registry)
        registry.hold(SOURCE, layer(2))


ATTACKS = (
    OtherManifest,
    OtherBlob,
    OtherDigest,
    DigestIsPath,
    ImageAndIndex,
    DeepIndex,
    OwnChild,
    ImpossibleSize,
    TwoReadings,
)
