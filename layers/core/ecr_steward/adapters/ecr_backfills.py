"""The ``Backfills`` port over Amazon ECR's API."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.backfills import Backfill, FailedImage
from ecr_steward.domain.names import RegistryRef

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

PAGE_SIZE = 50  # the largest that ECR takes (ListReplicationBackfills API reference)


class EcrBackfills:
    """A ``Backfills`` over every account that is connected; each is spoken to as ``AwsClients.ecr`` says."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def of(self, registry: RegistryRef) -> Sequence[Backfill]:
        with translated("ecr:ListReplicationBackfills", registry):
            listed = all_pages(self._ecr(registry), "list_replication_backfills", "backfills", page_size=PAGE_SIZE)
            return tuple(_backfill(one) for one in listed)

    def start(self, registry: RegistryRef, to: RegistryRef) -> Backfill:
        with translated("ecr:StartReplicationBackfill", f"{registry} to {to}"):
            answer = self._ecr(registry).start_replication_backfill(
                destination={"region": to.region, "registryId": to.account}
            )
        return _backfill(answer)

    def failed_images(self, registry: RegistryRef, backfill_id: str, most: int) -> tuple[FailedImage, ...]:
        with translated("ecr:DescribeReplicationBackfillResults", f"{registry}, {backfill_id}"):
            answer = self._ecr(registry).describe_replication_backfill_results(
                replicationBackfillId=backfill_id, resultStatusFilter="FAILED", maxResults=most
            )
        return tuple(_failed(one) for one in answer.get("results", []))

    def _ecr(self, registry: RegistryRef) -> "ECRClient":
        return self._clients.ecr(registry)


def _backfill(told: Mapping[str, Any]) -> Backfill:
    destination, progress = told["destination"], told.get("progress", {})
    return Backfill(
        id=told["replicationBackfillId"],
        to=RegistryRef(destination["registryId"], destination["region"]),
        status=told["status"],
        started_at=told["startedAt"].astimezone(UTC),  # botocore's times are in the zone of the machine
        ended_at=ended.astimezone(UTC) if (ended := told.get("endedAt")) else None,
        total=progress.get("totalReplicationCount"),
        completed=progress.get("completedReplicationCount", 0),
        failed=progress.get("failedReplicationCount", 0),
        failure_code=told.get("failureCode"),
        failure_codes=tuple(progress.get("failureCodes", ())),
    )


def _failed(result: Mapping[str, Any]) -> FailedImage:
    image = result["imageId"]
    code = result.get("failureCode") or ", ".join(result.get("subImageFailureCodes", ())) or None
    return FailedImage(result["repositoryName"], image.get("imageDigest", ""), image.get("imageTag"), code)
