"""The ``NativeCopies`` port over DescribeImageReplicationStatus."""

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.names import ImageRef, RegistryRef
from ecr_steward.domain.native_copies import NativeCopy


class EcrNativeCopies:
    """A ``NativeCopies``, asked at the source."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def of(self, image: ImageRef) -> tuple[NativeCopy, ...]:
        repository = image.repository
        with translated("ecr:DescribeImageReplicationStatus", image):
            answer = self._clients.ecr(repository.registry).describe_image_replication_status(
                registryId=repository.registry.account,
                repositoryName=repository.name,
                imageId={"imageDigest": image.digest.value},
            )
        return tuple(
            NativeCopy(RegistryRef(one["registryId"], one["region"]), one["status"], one.get("failureCode"))
            for one in answer["replicationStatuses"]
        )
