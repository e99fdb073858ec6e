"""Reads all that lies around a stack. What cannot be read says so in its place."""

from collections.abc import Mapping

from ecr_steward.domain.names import RegistryRef
from ecr_steward_cli.doctor.around.account import (
    read_inspector,
    read_repositories,
    read_repository_quota,
    read_scanning,
    read_trails,
    read_unreserved,
)
from ecr_steward_cli.doctor.around.facts import Around, RulebookFact
from ecr_steward_cli.doctor.around.outside import read_logins, read_registries, read_spokes
from ecr_steward_cli.doctor.around.rulebook import environment_in, read_rulebook
from ecr_steward_cli.doctor.asking import Asker
from ecr_steward_cli.doctor.parts.part import Part, tried
from ecr_steward_cli.doctor.stack import DeployedStack


def read_around(asker: Asker, stack: DeployedStack, parts: tuple[Part, ...]) -> Around:
    """All of it; of Inspector only where the registry has it scan."""
    rulebook = read_rulebook(asker, parts)
    scanning = tried(lambda: read_scanning(asker))
    names, environment = stack.names, environment_in(parts)
    is_enhanced = isinstance(scanning, Mapping) and scanning.get("scanType") == "ENHANCED"
    return Around(
        rulebook=rulebook,
        scanning=scanning,
        inspector=tried(lambda: read_inspector(asker, names.account)) if is_enhanced else None,
        repositories=tried(lambda: read_repositories(asker)),
        repository_quota=tried(lambda: read_repository_quota(asker)),
        unreserved_concurrency=tried(lambda: read_unreserved(asker)),
        trails=tried(lambda: read_trails(asker)) if isinstance(rulebook, RulebookFact) else None,
        logins=read_logins(asker, rulebook, RegistryRef(names.account, names.region)),
        spokes=read_spokes(asker, names.partition, environment),
        registries=read_registries(environment),
    )
