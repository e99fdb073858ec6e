"""Act 3: the images are in the second region, complete and byte for byte the same."""

from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward_sandbox.demo.acts.governance import check_settings
from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.layout import Release
from ecr_steward_sandbox.demo.stage import REPOSITORY, Stage

TITLE = "The images arrive in a second region"
ABOUT = (
    "Every push of act 2 put a copy job on the queue of replicate_image, which ran meanwhile. Now we look at what it "
    "brought, and pull all of it back."
)

_VERSIONS = ("1.4.2", "1.4.3")


def play(stage: Stage) -> None:
    """Look at what arrived, and pull all of it back."""
    stage.settle()
    stage.tell_from_the_start("replicate_image", REPOSITORY)
    check_settings(stage, stage.away, REPOSITORY)
    releases = [stage.release(version) for version in _VERSIONS]
    check_replica(stage, stage.away, REPOSITORY, releases)
    for release in releases:
        check_content(stage, stage.away, REPOSITORY, release)


def check_replica(stage: Stage, at: User, repository: str, releases: list[Release], source: str | None = None) -> None:
    """Check that index, platforms, referrer and image tags are at a destination, and nothing else.

    ``source`` is the repository at home, where it has another name.
    """
    stage.require(f"{at.place} has {repository}", at.has_repository(repository))
    digests = {str(manifest.digest) for release in releases for manifest in release.manifests}
    versions = " and ".join(release.version for release in releases)
    stage.check_equal(
        f"index, platforms and SBOM of {versions} are in {at.place}, every digest equal",
        at.digests(repository),
        digests,
    )
    referrers = {r.version: [d.digest for d in at.registry.referrers(repository, r.index.digest)] for r in releases}
    stage.check_equal("each SBOM refers to its image there", referrers, {r.version: [r.sbom.digest] for r in releases})
    of_releases = {str(release.index.digest) for release in releases}
    tags = {tag: digest for tag, digest in stage.home.tags(source or repository).items() if digest in of_releases}
    stage.check_equal("every image tag of theirs is there, and no other", at.tags(repository), tags)


def check_content(stage: Stage, at: User, repository: str, release: Release) -> None:
    """Pull a whole release back and compare it with what was pushed."""
    stage.narrator.did(f"pull {repository}:{release.version} back from {at.place}")
    pulled = sum(_pull_back(stage, at, repository, release, manifest) for manifest in release.manifests)
    stage.check(f"all {pulled:,} bytes are the ones that were pushed", pulled)


def _pull_back(stage: Stage, at: User, repository: str, release: Release, manifest: Manifest) -> int:
    pulled = at.pull_manifest(repository, manifest.digest)
    stage.require(f"the manifest {manifest.digest} is the same", pulled.content == manifest.content)
    blobs = sum(_compare_blob(stage, at, repository, release, blob) for blob in manifest.stored_blobs)
    return len(pulled.content) + blobs


def _compare_blob(stage: Stage, at: User, repository: str, release: Release, blob: Descriptor) -> int:
    """Compare a blob pulled back with the bytes it was pushed from, without holding either in memory."""
    with release.open(stage.layout, blob.digest) as original:
        size = 0
        for chunk in at.pull_blob(repository, blob):
            stage.require(f"the blob {blob.digest} is the same at byte {size}", chunk == original.read(len(chunk)))
            size += len(chunk)
        stage.require(f"the blob {blob.digest} ends at byte {size}", original.read(1) == b"")
    return size
