"""What announces that a whole registry was set otherwise: a call that a trail logged. ECR has no event of its own."""

from collections.abc import Mapping
from typing import Any, Final

from ecr_steward.domain.observations import RegistryChanged, RepositoryChanged
from ecr_steward.events.api_call import ApiCallEvent
from ecr_steward.events.envelope import parse
from ecr_steward.events.repository_hint import read_repository_changed

REGISTRY_OPERATIONS: Final = frozenset(
    {
        "CreateRepositoryCreationTemplate",
        "DeleteRegistryPolicy",
        "DeleteRepositoryCreationTemplate",
        "PutAccountSetting",
        "PutRegistryPolicy",
        "PutRegistryScanningConfiguration",
        "PutReplicationConfiguration",
        "UpdateRepositoryCreationTemplate",
    }
)
"""The calls that are about a registry and no repository; ``template.yaml`` lets the same ones through."""


def read_change(event: Any) -> RegistryChanged | RepositoryChanged:
    """The registry or repository that an event is about, and who changed it.

    Raises MalformedEventError and InvalidNameError.
    """
    detail = event.get("detail") if isinstance(event, Mapping) else None
    operation = detail.get("eventName") if isinstance(detail, Mapping) else None
    if isinstance(operation, str) and operation in REGISTRY_OPERATIONS:
        return parse(ApiCallEvent, event).to_registry_changed()
    return read_repository_changed(event)
