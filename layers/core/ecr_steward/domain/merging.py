"""Merging wanted settings: setting by setting, and resource tag by resource tag, the first one that says it decides."""

from dataclasses import fields, replace

from ecr_steward.domain.repositories import RepositorySettings

SILENT = RepositorySettings()
"""Settings that say nothing."""


def unsaid(wanted: RepositorySettings, said: RepositorySettings) -> RepositorySettings:
    """What settings say beyond others."""
    if said is SILENT:
        return wanted
    tags = {key: value for key, value in wanted.resource_tags.items() if key not in said.resource_tags}
    doubled = {each.name: None for each in fields(wanted) if getattr(said, each.name) is not None}
    return replace(wanted, **doubled | {"resource_tags": tags})  # type: ignore[arg-type]


def filled(said: RepositorySettings, wanted: RepositorySettings) -> RepositorySettings:
    """Settings, and what others say beyond them."""
    if said is SILENT:
        return wanted
    left = unsaid(wanted, said)
    taken = {each.name: getattr(left, each.name) for each in fields(said) if getattr(said, each.name) is None}
    return replace(said, **taken, resource_tags={**left.resource_tags, **said.resource_tags})
