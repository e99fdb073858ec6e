"""Act 3: the images are in the second region, complete and byte for byte the same."""

from ecr_steward.domain.images import Descriptor, Manifest
from sandbox.demo.acts.governance import check_settings
from sandbox.demo.layout import Release
from sandbox.demo.stage import AWAY, REPOSITORY, Stage

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
    check_replicas(stage, releases)
    for release in releases:
        stage.narrator.did(f"pull {release.version} back from {AWAY}")
        pulled = sum(_pull_back(stage, release, manifest) for manifest in release.manifests)
        stage.check(f"all {pulled:,} bytes are the ones that were pushed", pulled)


def check_replicas(stage: Stage, releases: list[Release]) -> None:
    """Check that index, platforms, referrer and image tags are in the second region, and nothing else."""
    digests = {str(manifest.digest) for release in releases for manifest in release.manifests}
    stage.check_equal(
        f"index, platforms and SBOM of {' and '.join(r.version for r in releases)} are in {AWAY}, every digest equal",
        stage.away.digests(REPOSITORY),
        digests,
    )
    referrers = {
        r.version: [d.digest for d in stage.away.registry.referrers(REPOSITORY, r.index.digest)] for r in releases
    }
    stage.check_equal("each SBOM refers to its image there", referrers, {r.version: [r.sbom.digest] for r in releases})
    of_releases = {str(release.index.digest) for release in releases}
    tags = {tag: digest for tag, digest in stage.home.tags(REPOSITORY).items() if digest in of_releases}
    stage.check_equal("every image tag of theirs is there, and no other", stage.away.tags(REPOSITORY), tags)


def _pull_back(stage: Stage, release: Release, manifest: Manifest) -> int:
    pulled = stage.away.pull_manifest(REPOSITORY, manifest.digest)
    stage.require(f"the manifest {manifest.digest} is the same", pulled.content == manifest.content)
    blobs = sum(_compare_blob(stage, release, blob) for blob in manifest.stored_blobs)
    return len(pulled.content) + blobs


def _compare_blob(stage: Stage, release: Release, blob: Descriptor) -> int:
    """Compare a blob pulled back with the bytes it was pushed from, without holding either in memory."""
    with release.open(stage.layout, blob.digest) as original:
        size = 0
        for chunk in stage.away.pull_blob(REPOSITORY, blob):
            stage.require(f"the blob {blob.digest} is the same at byte {size}", chunk == original.read(len(chunk)))
            size += len(chunk)
        stage.require(f"the blob {blob.digest} ends at byte {size}", original.read(1) == b"")
    return size
