"""How a registry scans: its rules, and what they say of one repository.

Sources: ECR user guide, "image-scanning-filters", "image-scanning-basic-enabling", "image-scanning-enhanced-enabling";
PutRegistryScanningConfiguration of the API reference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.errors import invalid_parameter
from local_ecr.images.mutability import matches_wildcard
from local_ecr.names import Registry
from local_ecr.scans.report import BASIC, ENHANCED
from local_ecr.state import registries
from local_ecr.state.scans import Scan

SCAN_ON_PUSH = "SCAN_ON_PUSH"
CONTINUOUS_SCAN = "CONTINUOUS_SCAN"
MANUAL = "MANUAL"

_FREQUENCIES = {BASIC: (SCAN_ON_PUSH, MANUAL), ENHANCED: (CONTINUOUS_SCAN, SCAN_ON_PUSH)}
"""What a rule may say by the type of scans, the stronger first: where two rules match, continuous wins."""


@dataclass(frozen=True)
class ScanRule:
    frequency: str
    filters: tuple[str, ...]

    def matching(self, repository_name: str) -> tuple[str, ...]:
        """Those of its filters that a repository passes."""
        return tuple(one for one in self.filters if passes_filter(one, repository_name))


@dataclass(frozen=True)
class AppliedScan:
    """How one repository is scanned, and the filters by which it is."""

    frequency: str
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScanConfiguration:
    """A registry's configuration; a new registry has basic scans and no rule."""

    type: str = BASIC
    rules: tuple[ScanRule, ...] = ()

    def applied_to(self, repository_name: str, *, scan_on_push: bool) -> AppliedScan:
        """`scan_on_push`: what the repository itself says, which counts for basic scans alone.

        A repository that no rule is for is scanned on request (basic) or not at all (enhanced): both are MANUAL.
        """
        matching = [(rule, filters) for rule in self.rules if (filters := rule.matching(repository_name))]
        for frequency in _FREQUENCIES[self.type]:
            filters = tuple(one for rule, found in matching if rule.frequency == frequency for one in found)
            if filters:
                return AppliedScan(frequency, filters)
            if frequency == SCAN_ON_PUSH and scan_on_push and self.type == BASIC:
                return AppliedScan(frequency)
        return AppliedScan(MANUAL)

    def as_json(self) -> dict[str, Any]:
        """As the API tells it, and as it is stored."""
        rules = [
            {"scanFrequency": rule.frequency, "repositoryFilters": shown_filters(rule.filters)} for rule in self.rules
        ]
        return {"scanType": self.type, "rules": rules}


def passes_filter(pattern: str, repository_name: str) -> bool:
    """With a `*` a filter is the whole name, where `*` stands for anything; without, it is any part of the name."""
    return matches_wildcard(pattern, repository_name) if "*" in pattern else pattern in repository_name


def shown_filters(filters: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"filter": one, "filterType": "WILDCARD"} for one in filters]


def read_configuration(document: Mapping[str, Any]) -> ScanConfiguration:
    """What a request says; it replaces all that there was. Raises EcrError InvalidParameterException."""
    scan_type = document.get("scanType", BASIC)
    rules = tuple(
        ScanRule(rule["scanFrequency"], tuple(one["filter"] for one in rule["repositoryFilters"]))
        for rule in document.get("rules", ())
    )
    for rule in rules:
        if rule.frequency not in _FREQUENCIES[scan_type]:
            raise invalid_parameter(
                "rules",
                f"scanFrequency {rule.frequency} is not supported when scanType is {scan_type}: it may be one of "
                f"[{', '.join(_FREQUENCIES[scan_type])}]",
            )
    return ScanConfiguration(scan_type, rules)


def takes_basic_scans(connection: sqlite3.Connection, registry: Registry, latest: Scan | None) -> bool:
    """Whether an image may be scanned on request. Where nobody has configured scans, its latest scan tells the type."""
    if registries.get(connection, registry, registries.SCANNING) is None:
        return latest is None or latest.type == BASIC
    return configuration_of(connection, registry).type == BASIC


def configuration_of(connection: sqlite3.Connection, registry: Registry) -> ScanConfiguration:
    document = registries.get(connection, registry, registries.SCANNING)
    return ScanConfiguration() if document is None else read_configuration(document)
