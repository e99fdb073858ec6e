"""What a registry scans, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import repository_not_found
from local_ecr.iam import Permission
from local_ecr.scans.configuration import (
    SCAN_ON_PUSH,
    ScanConfiguration,
    configuration_of,
    read_configuration,
    shown_filters,
)
from local_ecr.scans.reconfiguration import configure_scans
from local_ecr.scans.report import ENHANCED
from local_ecr.state import repositories
from local_ecr.state.repositories import Repository


def put_registry_scanning_configuration(call: Call) -> Mapping[str, Any]:
    """Enhanced scans need inspector2:Enable as well (ECR user guide, "image-scanning-enhanced-iam")."""
    configuration = read_configuration(call.input)
    if configuration.type == ENHANCED:
        call.require([Permission("inspector2:Enable", "*")])
    with call.store.changing() as change:
        configure_scans(change, call.registry, configuration, call.now())
    return {"registryScanningConfiguration": configuration.as_json()}


def get_registry_scanning_configuration(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        configuration = configuration_of(connection, call.registry)
    return {"registryId": call.registry.account, "scanningConfiguration": configuration.as_json()}


def batch_get_repository_scanning_configuration(call: Call) -> Mapping[str, Any]:
    found, failures = [], []
    with call.store.reading() as connection:
        configuration = configuration_of(connection, call.registry)
        for name in dict.fromkeys(call.input["repositoryNames"]):
            repository = repositories.find(connection, call.registry, name)
            if repository is not None:
                found.append(_shown(repository, configuration))
            else:
                failures.append(
                    {
                        "repositoryName": name,
                        "failureCode": "REPOSITORY_NOT_FOUND",
                        "failureReason": repository_not_found(name, call.registry.account).message,
                    }
                )
    return {"scanningConfigurations": found, "failures": failures}


def put_image_scanning_configuration(call: Call) -> Mapping[str, Any]:
    """What the repository itself says; ECR would have it said by the registry."""
    scan_on_push = call.input["imageScanningConfiguration"].get("scanOnPush", False)
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        repositories.set_scan_on_push(change.connection, repository, scan_on_push)
    return call.in_repository(imageScanningConfiguration={"scanOnPush": scan_on_push})


def _shown(repository: Repository, configuration: ScanConfiguration) -> dict[str, Any]:
    applied = configuration.applied_to(repository.name, scan_on_push=repository.scan_on_push)
    return {
        "repositoryArn": repository.arn,
        "repositoryName": repository.name,
        "scanOnPush": applied.frequency == SCAN_ON_PUSH,
        "scanFrequency": applied.frequency,
        "appliedScanFilters": shown_filters(applied.filters),
    }


OPERATIONS: dict[str, Handler] = {
    "PutRegistryScanningConfiguration": put_registry_scanning_configuration,
    "GetRegistryScanningConfiguration": get_registry_scanning_configuration,
    "BatchGetRepositoryScanningConfiguration": batch_get_repository_scanning_configuration,
    "PutImageScanningConfiguration": put_image_scanning_configuration,
}
