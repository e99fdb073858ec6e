"""A registry's replication configuration: what ECR refuses in one, and where a repository's images go by it. Pure.

Sources: ECR user guide, "Private image replication in Amazon ECR" (partitions, unique destinations, prefixes) and
"Replicating image deletions in Amazon ECR"; what the model of PutReplicationConfiguration says is checked before: at
most 25 rules, and 100 filters in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.names import Registry

Configuration = Mapping[str, Any]
"""`replicationConfiguration` as PutReplicationConfiguration takes it."""

EMPTY: Configuration = {"rules": []}

MAX_DESTINATIONS = 25  # unique ones, across all rules


def check_configuration(registry: Registry, configuration: Configuration) -> None:
    """Raises EcrError InvalidParameterException."""
    found = {destination for rule in configuration["rules"] for destination in _destinations(rule)}
    if registry in found:
        # words as tools that met this at AWS have them: github.com/getmoto/moto, tests/test_ecr
        raise _refusal("Replication destination cannot be the same as the source registry")
    if len(found) > MAX_DESTINATIONS:
        raise _refusal(f"Replication configuration cannot have more than {MAX_DESTINATIONS} unique destinations")
    for destination in sorted(found):
        if destination.region not in _regions(registry.partition):
            raise _refusal(
                f"Replication destination region '{destination.region}' is no region of the partition "
                f"'{registry.partition}'"
            )


def destinations_of(configuration: Configuration, repository_name: str) -> dict[Registry, bool]:
    """Where images of a repository are copied to, each once, and whether their deletion is copied there as well.

    Rules add up: a deletion goes where one of the rules that match says so.
    """
    found: dict[Registry, bool] = {}
    for rule in configuration["rules"]:
        if not _matches(rule, repository_name):
            continue
        copies_deletions = rule.get("deleteReplication", {}).get("enabled", False)
        for destination in _destinations(rule):
            found[destination] = found.get(destination, False) or copies_deletions
    return found


def _matches(rule: Mapping[str, Any], repository_name: str) -> bool:
    """A rule without filters is for all repositories; a prefix is any beginning of a name."""
    filters = rule.get("repositoryFilters", ())
    return not filters or any(repository_name.startswith(one["filter"]) for one in filters)


def _destinations(rule: Mapping[str, Any]) -> Iterator[Registry]:
    for one in rule["destinations"]:
        yield Registry(one["registryId"], one["region"])


def _refusal(constraint: str) -> EcrError:
    return invalid_parameter("replicationConfiguration", constraint)


@cache
def _regions(partition: str) -> frozenset[str]:
    """Where ECR is, as the installed botocore knows it."""
    return frozenset(botocore.session.Session().get_available_regions("ecr", partition))
