"""Worlds for the contract suites: the same tests run in each, on a fake and on its real adapter.

A world has the ports under test and a few deeds of other people, such as a client's push. The registries are those
of local_ecr, over HTTP; with STEWARD_TEST_AWS=1 also those of a real account
(packages/local-ecr/docs/real-account.md).
"""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Never, Protocol

import pytest
from botocore.session import Session

import local_ecr
from ecr_steward.adapters import ecr_registry, ecr_scans
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.adapters.manifests import parse_manifest
from ecr_steward.adapters.memory import InMemoryImageContent, InMemoryNativeCopies, InMemoryRegistry, InMemoryScans
from ecr_steward.adapters.native_replication import EcrNativeCopies
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.registry_content import RegistryContent
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.native_copies import NativeCopy
from ecr_steward.domain.scans import Finding, ScanStatus, Severity
from ecr_steward.ports.native_replication import NativeCopies
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.stores import ImageContent
from lab.ecr_accounts import _aws_account, _local_ecr_account, account, real_account, remove_repositories
from local_ecr import LocalEcr, LocalEcrServer
from tests.given import aws

__all__ = ["_aws_account", "_local_ecr_account", "account", "real_account", "remove_repositories"]

ON_REAL_AWS = os.environ.get("STEWARD_TEST_AWS") == "1"
LOCAL_ACCOUNT = "111122223333"
REGIONS = (
    os.environ.get("STEWARD_TEST_AWS_REGION", "us-east-1"),
    os.environ.get("STEWARD_TEST_AWS_SECOND_REGION", "eu-west-1"),
)


class World(Protocol):
    """Registries in two regions, empty at first; in a real account, without what begins with our prefix."""

    @property
    def account(self) -> str: ...
    @property
    def prefix(self) -> str:
        """Begins the name of every repository that a test makes."""
        ...

    @property
    def registry(self) -> Registry: ...
    @property
    def content(self) -> ImageContent: ...
    @property
    def scans(self) -> Scans: ...
    @property
    def native_copies(self) -> NativeCopies: ...
    def push(self, repository: RepositoryRef, manifest: Manifest, *image_tags: str) -> ImageRef:
        """Push a manifest, with its blobs, under image tags or by digest alone."""
        ...

    def right_before_deletion(self, of: RepositoryRef, deed: Callable[[], object]) -> None:
        """Have a deed done once the tags of the next image to be deleted have been read, before it is deleted."""
        ...

    def push_blob(self, repository: RepositoryRef, content: bytes) -> Descriptor: ...
    def damage(self, repository: RepositoryRef, digest: Digest) -> None:
        """Change a byte of a stored blob."""
        ...

    def end_scan(self, image: ImageRef, scanner: str, status: ScanStatus, *findings: Finding) -> None:
        """Have a scanner, ``BASIC`` or ``ENHANCED``, be done with an image, or be at it."""
        ...

    def scan_by_registry(self, repository: RepositoryRef) -> None:
        """Have a rule of the registry decide that this repository's images are scanned on push."""
        ...

    def pushed_and_replicated(
        self, repository: RepositoryRef, manifest: Manifest, status: str, *to: RegistryRef
    ) -> AbstractContextManager[ImageRef]:
        """A with block in which an image was pushed that ECR itself replicates, and has come so far with it."""
        ...


class FakeWorld:
    """The world of the fakes."""

    account, prefix = LOCAL_ACCOUNT, ""

    def __init__(self) -> None:
        self.registry = InMemoryRegistry(now=utc_now)
        self.content = InMemoryImageContent(self.registry)
        self.scans = InMemoryScans(self.registry)
        self.native_copies = InMemoryNativeCopies(self.registry)

    def push(self, repository: RepositoryRef, manifest: Manifest, *image_tags: str) -> ImageRef:
        self.content.hold(repository, manifest)
        if not manifest.is_index and manifest.blobs[0].digest in LABELS_OF:
            self.content.hold_labels(manifest.blobs[0].digest, LABELS_OF[manifest.blobs[0].digest])
        held = next(image for image in self.registry.images_in(repository) if image.digest == manifest.digest)
        tags = frozenset(image_tag(text) for text in image_tags)
        self.registry.push(replace(held, image_tags=tags))
        return held.ref

    def right_before_deletion(self, of: RepositoryRef, deed: Callable[[], object]) -> None:
        self.registry.before_deletion = lambda: deed() and None

    def push_blob(self, repository: RepositoryRef, content: bytes) -> Descriptor:
        blob = _descriptor("application/vnd.oci.image.layer.v1.tar", content)
        self.content.hold_blob(repository, blob.digest)
        return blob

    def damage(self, repository: RepositoryRef, digest: Digest) -> None:
        self.content.damaged.add((repository, digest))

    def end_scan(self, image: ImageRef, scanner: str, status: ScanStatus, *findings: Finding) -> None:
        self.scans.end(image, status, findings, said=None if status is ScanStatus.COMPLETE else f"{scanner} says so")

    def scan_by_registry(self, repository: RepositoryRef) -> None:
        self.registry.scanned_by_registry[repository] = "SCAN_ON_PUSH"

    def pushed_and_replicated(
        self, repository: RepositoryRef, manifest: Manifest, status: str, *to: RegistryRef
    ) -> AbstractContextManager[ImageRef]:
        image, code = self.push(repository, manifest, "1.4.2"), "NotAllowed" if status == "FAILED" else None
        self.native_copies.say(image, *(NativeCopy(registry, status, code) for registry in to))
        return nullcontext(image)


class EcrWorld:
    """The world of the adapters."""

    def __init__(self, clients: AwsClients, account: str, prefix: str, transport: Transport) -> None:
        self._clients = clients
        self.account = account
        self.prefix = prefix
        self.registry = EcrRegistry(clients)
        self.scans = EcrScans(clients)
        self.native_copies = EcrNativeCopies(clients)
        self.content = RegistryContent(clients, transport)

    def push(self, repository: RepositoryRef, manifest: Manifest, *image_tags: str) -> ImageRef:
        for blob in manifest.blobs:
            self.push_blob(repository, CONTENT_OF[blob.digest])
        for tag in image_tags or [None]:
            self._clients.ecr(repository.registry).put_image(
                repositoryName=repository.name,
                imageManifest=manifest.content.decode(),
                imageManifestMediaType=manifest.descriptor.media_type,
                **({"imageTag": tag} if tag else {}),
            )
        return ImageRef(repository, manifest.digest)

    def right_before_deletion(self, of: RepositoryRef, deed: Callable[[], object]) -> None:
        events, name = self._clients.ecr(of.registry).meta.events, "before-call.ecr.BatchDeleteImage"

        def do(**_: object) -> None:
            events.unregister(name, do)
            deed()

        events.register(name, do)

    def push_blob(self, repository: RepositoryRef, content: bytes) -> Descriptor:
        ecr = self._clients.ecr(repository.registry)
        blob = _descriptor("application/vnd.oci.image.layer.v1.tar", content)
        upload = {"repositoryName": repository.name}
        held = ecr.batch_check_layer_availability(layerDigests=[blob.digest.value], **upload)["layers"]
        if held and held[0]["layerAvailability"] == "AVAILABLE":
            return blob
        upload_id = ecr.initiate_layer_upload(**upload)["uploadId"]
        ecr.upload_layer_part(
            uploadId=upload_id, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content, **upload
        )
        ecr.complete_layer_upload(uploadId=upload_id, layerDigests=[blob.digest.value], **upload)
        return blob

    def scan_by_registry(self, repository: RepositoryRef) -> None:
        filters = [{"filter": repository.name, "filterType": "WILDCARD"}]
        self._clients.ecr(repository.registry).put_registry_scanning_configuration(
            scanType="BASIC", rules=[{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}]
        )


class LocalWorld(EcrWorld):
    """The world of the adapters, over a local ECR."""

    def __init__(self, clients: AwsClients, ecr: LocalEcr, data: Path, transport: Transport) -> None:
        super().__init__(clients, LOCAL_ACCOUNT, "", transport)
        self._ecr = ecr
        self._data = data

    def damage(self, repository: RepositoryRef, digest: Digest) -> None:
        algorithm, _, hexdigest = digest.value.partition(":")
        registry = repository.registry
        stored = self._data / registry.account / registry.region / "blobs" / algorithm / hexdigest
        content = bytearray(stored.read_bytes())
        content[0] ^= 1
        stored.chmod(0o600)
        stored.write_bytes(content)

    def end_scan(self, image: ImageRef, scanner: str, status: ScanStatus, *findings: Finding) -> None:
        where = image.repository
        document = {
            "type": scanner,
            "status": STATUSES[scanner, status],
            "findings": [as_reported(scanner, finding) for finding in findings],
        }
        registry = local_ecr.Registry(where.registry.account, where.registry.region)
        self._ecr.record_scan(registry, where.name, image.digest.value, document)

    @contextmanager
    def pushed_and_replicated(
        self, repository: RepositoryRef, manifest: Manifest, status: str, *to: RegistryRef
    ) -> Iterator[ImageRef]:
        destinations = [{"region": registry.region, "registryId": registry.account} for registry in to]
        self._clients.ecr(repository.registry).put_replication_configuration(
            replicationConfiguration={"rules": [{"destinations": destinations}]}  # type: ignore[typeddict-item]
        )
        for registry in to if status == "FAILED" else ():
            nobody = {"Effect": "Deny", "Principal": "*", "Action": "ecr:ReplicateImage", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
            self._clients.ecr(registry).put_registry_policy(policyText=policy)
        with self._ecr.background.paused():
            image = self.push(repository, manifest, "1.4.2")
            if status == "IN_PROGRESS":
                yield image
                return
        self._ecr.wait_until_idle()
        yield image


class AwsWorld(EcrWorld):
    """The world of the adapters, over a real account."""

    def damage(self, repository: RepositoryRef, digest: Digest) -> Never:
        pytest.skip("nobody can damage what a real registry has stored")

    def end_scan(self, image: ImageRef, scanner: str, status: ScanStatus, *findings: Finding) -> Never:
        pytest.skip("nobody can tell a real scanner when to be done, and what to find")

    def scan_by_registry(self, repository: RepositoryRef) -> Never:
        pytest.skip("a real registry has scanning rules that are not ours to replace")

    def pushed_and_replicated(
        self, repository: RepositoryRef, manifest: Manifest, status: str, *to: RegistryRef
    ) -> Never:
        pytest.skip("what a real registry replicates is not ours to replace")


@pytest.fixture(params=["fake", "adapter", *(["aws"] if ON_REAL_AWS else [])])
def world(request: pytest.FixtureRequest) -> World:
    """A world of its own for each test."""
    world: World = request.getfixturevalue(f"{request.param}_world")
    return world


@pytest.fixture
def fake_world() -> World:
    return FakeWorld()


@pytest.fixture(scope="session")
def session() -> Session:
    """Shared, since to make a session takes as long as to make several clients."""
    return aws.session(LOCAL_ACCOUNT, REGIONS[0])


@pytest.fixture
def adapter_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session) -> Iterator[World]:
    for module in (ecr_registry, ecr_scans):
        monkeypatch.setattr(module, "PAGE_SIZE", 2)  # so that every listing has several pages
    monkeypatch.setattr(ecr_registry, "BATCH_SIZE", 2)
    transport = Transport(retries=PATIENT.new(total=0))
    registries = [(LOCAL_ACCOUNT, region) for region in REGIONS]
    ecr = LocalEcr(tmp_path)
    with LocalEcrServer(ecr, registries) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.endpoint_url)
        yield LocalWorld(AwsClients(aws.ONE_TRY, session=session), ecr, tmp_path, transport)
        transport.close()


@pytest.fixture
def aws_world(real_account: str, remove_repositories: Callable[[Any, str], None]) -> Iterator[World]:
    clients, transport = AwsClients(), Transport()
    prefix = f"ecr-steward-test-{uuid.uuid4().hex[:8]}/"
    yield AwsWorld(clients, real_account, prefix, transport)
    for region in REGIONS:
        remove_repositories(clients.ecr(RegistryRef(real_account, region)), prefix)
    transport.close()


@pytest.fixture(scope="session")
def region() -> str:
    """The first one, where tests of one region work."""
    return REGIONS[0]


# ---------------------------------------------------------------- what scanners say

STATUSES = {
    ("BASIC", ScanStatus.COMPLETE): "COMPLETE",
    ("BASIC", ScanStatus.PENDING): "IN_PROGRESS",
    ("BASIC", ScanStatus.UNSCANNABLE): "UNSUPPORTED_IMAGE",
    ("BASIC", ScanStatus.FAILED): "FAILED",
    ("ENHANCED", ScanStatus.COMPLETE): "ACTIVE",
    ("ENHANCED", ScanStatus.PENDING): "PENDING",
    ("ENHANCED", ScanStatus.UNSCANNABLE): "UNSUPPORTED_IMAGE",
    ("BASIC", ScanStatus.EXPIRED): "SCAN_ELIGIBILITY_EXPIRED",
    ("BASIC", ScanStatus.LIMIT_EXCEEDED): "LIMIT_EXCEEDED",
    ("ENHANCED", ScanStatus.FAILED): "FINDINGS_UNAVAILABLE",
    ("ENHANCED", ScanStatus.EXPIRED): "SCAN_ELIGIBILITY_EXPIRED",
    ("ENHANCED", ScanStatus.LIMIT_EXCEEDED): "IMAGE_SIZE_EXCEEDED",
}


def as_reported(scanner: str, finding: Finding) -> dict[str, object]:
    """A finding as a scanner writes it; one that has no severity yet has none there."""
    word = finding.severity_word or finding.severity.name
    severity = {} if word == Severity.UNDEFINED.name else {"severity": word}
    name, _, version = (finding.package or "").partition(" ")
    if scanner == "BASIC":
        attributes = [{"key": "package_name", "value": name}, {"key": "package_version", "value": version}]
        return {"name": finding.name, "attributes": attributes if finding.package else [], **severity}
    packages = [{"name": name, "version": version}] if finding.package else []
    return {
        "packageVulnerabilityDetails": {"vulnerabilityId": finding.name, "vulnerablePackages": packages},
        **({"status": "SUPPRESSED"} if finding.is_suppressed else {}),
        **severity,
    }


# ---------------------------------------------------------------- things to push

CONTENT_OF: dict[Digest, bytes] = {}
"""The bytes of every blob that ``new_image`` made."""
LABELS_OF: dict[Digest, Mapping[str, str]] = {}
"""The labels of every config that has some."""


@pytest.fixture
def repository(world: World) -> RepositoryRef:
    """A repository that is there, in the first region."""
    ref = RepositoryRef(RegistryRef(world.account, REGIONS[0]), f"{world.prefix}team-a/api")
    world.registry.create_repository(ref, None)
    return ref


@pytest.fixture
def abroad(repository: RepositoryRef) -> RepositoryRef:
    """The repository of the same name in the second region. It is not there."""
    return repository.in_registry(RegistryRef(repository.registry.account, REGIONS[1]))


class Things:
    """Makes manifests; the same word gives the same bytes."""

    def image(
        self,
        word: str = "image",
        subject: Manifest | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        artifact_type: str | None = None,
    ) -> Manifest:
        """An image of one layer; a referrer, if it has a subject and no labels."""
        said = {"os": "linux", "word": word, **({"config": {"Labels": labels}} if labels is not None else {})}
        is_image = subject is None or labels is not None
        config = _blob(OCI_CONFIG if is_image else "application/vnd.example.sbom.v1+json", json.dumps(said).encode())
        LABELS_OF[config.digest] = labels or {}
        layer = _blob("application/vnd.oci.image.layer.v1.tar", f"layer of {word}".encode() * 100)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _keys(config),
            "layers": [_keys(layer)],
            **({"subject": _keys(subject.descriptor)} if subject else {}),
            **({"annotations": annotations} if annotations is not None else {}),
            **({"artifactType": artifact_type} if artifact_type else {}),
        }
        return parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)

    def signature(self, word: str = "signature") -> Manifest:
        """What cosign attaches by an image tag: its config is that of an image, its layer is not."""
        layer = _blob("application/vnd.dev.cosign.simplesigning.v1+json", word.encode())
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _keys(self.image(word).blobs[0]),
            "layers": [_keys(layer)],
        }
        return parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)

    def image_with_a_foreign_layer(self, word: str) -> Manifest:
        """An image with the config of ``image(word)``, and a layer that registries do not hold."""
        config = self.image(word).blobs[0]
        media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        layer = Descriptor(media_type, Digest(f"sha256:{'f' * 64}"), 5)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _keys(config),
            "layers": [{**_keys(layer), "urls": ["https://example.com/layer"]}],
        }
        return parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)

    def index(self, children: Iterable[Manifest], platforms: Iterable[str] = ()) -> Manifest:
        """An index of images, for these platforms where they are given."""
        manifests = [_keys(child.descriptor) for child in children]
        for entry, platform in zip(manifests, platforms, strict=False):
            entry["platform"] = dict(zip(("os", "architecture"), platform.split("/"), strict=True))
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        return parse_manifest(json.dumps(document).encode(), OCI_INDEX)


@pytest.fixture
def new() -> Things:
    return Things()


def _blob(media_type: str, content: bytes) -> Descriptor:
    blob = _descriptor(media_type, content)
    CONTENT_OF[blob.digest] = content
    return blob


def _descriptor(media_type: str, content: bytes) -> Descriptor:
    return Descriptor(media_type, Digest(f"sha256:{hashlib.sha256(content).hexdigest()}"), len(content))


def _keys(descriptor: Descriptor) -> dict[str, object]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest.value, "size": descriptor.size}
