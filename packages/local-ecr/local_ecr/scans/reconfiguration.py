"""Change how a registry scans: what is told of it, and which images are scanned from then on."""

from __future__ import annotations

from datetime import datetime, timedelta

from local_ecr import events
from local_ecr.events import ScanFrequencyChange
from local_ecr.names import Registry
from local_ecr.scans.arrival import await_inspector
from local_ecr.scans.configuration import MANUAL, ScanConfiguration, configuration_of
from local_ecr.scans.record import unscannable_type
from local_ecr.scans.report import ENHANCED
from local_ecr.state import registries, repositories, scans
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change

LOOK_BACK = timedelta(days=14)
"""How long ago an image may have been pushed to be scanned when enhanced scans begin (ECR user guide,
"image-scanning-enhanced")."""


def configure_scans(change: Change, registry: Registry, configuration: ScanConfiguration, now: datetime) -> None:
    """Keep a configuration. `ECR Scan Resource Change` tells which repositories enhanced scans treat otherwise now."""
    before = configuration_of(change.connection, registry)
    registries.put(change.connection, registry, registries.SCANNING, configuration.as_json())
    if configuration.type != ENHANCED:
        return
    changes = []
    for repository in repositories.of_registry(change.connection, registry):
        was = before.applied_to(repository.name, scan_on_push=repository.scan_on_push).frequency
        now_is = configuration.applied_to(repository.name, scan_on_push=repository.scan_on_push).frequency
        if now_is != was:
            changes.append(ScanFrequencyChange(repository.name, now_is, was))
        is_new = before.type != ENHANCED or was == MANUAL
        if is_new and now_is != MANUAL:
            _scan_recent(change, repository, now)
    if changes:
        change.announce(registry, events.scan_resource_changed(registry, changes, now))


def _scan_recent(change: Change, repository: Repository, now: datetime) -> None:
    for image in scans.pushed_since(change.connection, repository.id, (now - LOOK_BACK).timestamp()):
        if unscannable_type(image) is None:
            await_inspector(change, image, now)
