"""*ECR Replication Action* and *ECR Pull Through Cache Action*: ECR brought an image, perhaps to a new repository.

The shapes are those of "Amazon ECR events and EventBridge" (ECR user guide). The first comes in the registry that the
image was copied to, and nothing else tells of it there.
"""

from typing import Literal

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import Envelope, EventModel, RepositoryNameText


class ReplicationDetail(EventModel):
    """``detail`` of a replication: what arrived where, and from where."""

    result: str
    action_type: Literal["REPLICATE"]
    repository_name: RepositoryNameText


class ReplicationActionEvent(Envelope):
    """An image was replicated to the registry of the envelope."""

    source: Literal["aws.ecr"]
    detail_type: Literal["ECR Replication Action"]
    detail: ReplicationDetail

    def to_repository_changed(self) -> RepositoryChanged:
        """The repository that may be new. Raises MalformedEventError where nothing arrived."""
        return _arrival(self, self.detail.result, self.detail.repository_name, "replication")


class PullThroughCacheDetail(EventModel):
    """``detail`` of a pull through the cache: what was fetched from upstream."""

    sync_status: str
    repository_name: RepositoryNameText


class PullThroughCacheActionEvent(Envelope):
    """An image was fetched from an upstream registry."""

    source: Literal["aws.ecr"]
    detail_type: Literal["ECR Pull Through Cache Action"]
    detail: PullThroughCacheDetail

    def to_repository_changed(self) -> RepositoryChanged:
        """The repository that may be new. Raises MalformedEventError where nothing arrived."""
        return _arrival(self, self.detail.sync_status, self.detail.repository_name, "pull through cache")


def _arrival(event: Envelope, result: str, name: str, how: str) -> RepositoryChanged:
    if result != "SUCCESS":
        raise MalformedEventError(
            f"event {event.id} reports a {how} with result {result}, which changed nothing; look at the rule's event "
            "pattern"
        )
    return RepositoryChanged(RepositoryRef(event.registry, name), how, is_arrival=True)
