"""What a job keeps of the manifests that it has read."""

from ecr_steward.adapters.kept_manifests import LARGEST, MOST, KeptManifests
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef
from tests.given.worlds import digest_of

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
COPY = API.in_registry(RegistryRef("111122223333", "eu-west-1"))


class Reading:
    """Reads manifests, and counts."""

    def __init__(self) -> None:
        self.kept = KeptManifests()
        self.reads = 0

    def read(self, content: bytes, repository: RepositoryRef = API) -> Manifest:
        digest = digest_of(content)

        def read() -> Manifest:
            self.reads += 1
            return Manifest(Descriptor("application/vnd.oci.image.manifest.v1+json", digest, len(content)), content)

        return self.kept.get(ImageRef(repository, digest), read)


def test_a_small_manifest_is_read_once_for_each_repository() -> None:
    reading = Reading()

    found = {reading.read(b"{}", repository).content for repository in (API, API, COPY, API)}

    assert (found, reading.reads) == ({b"{}"}, 2)


def test_a_large_manifest_is_read_each_time() -> None:
    reading = Reading()
    for _ in range(2):
        reading.read(b" " * (LARGEST + 1))
    reading.read(b" " * LARGEST)
    reading.read(b" " * LARGEST)

    assert reading.reads == 3


def test_the_first_is_forgotten_when_there_are_too_many() -> None:
    reading = Reading()
    for number in range(MOST + 1):
        reading.read(b"%d" % number)

    reading.read(b"%d" % MOST)
    assert reading.reads == MOST + 1
    reading.read(b"0")
    assert reading.reads == MOST + 2
