"""Applying a step of a whole registry's settings: from step to call."""

from typing import assert_never

from ecr_steward.domain.registries import (
    DeleteRegistryPolicy,
    PutAccountSetting,
    PutCreationTemplate,
    PutRegistryPolicy,
    PutRegistryScanning,
    PutReplicationConfiguration,
    RegistrySettingsStep,
)
from ecr_steward.ports.registry_settings import RegistrySettingsStore

REGISTRY_SETTINGS = (
    PutAccountSetting,
    PutRegistryPolicy,
    DeleteRegistryPolicy,
    PutRegistryScanning,
    PutCreationTemplate,
    PutReplicationConfiguration,
)
"""The steps that need a ``RegistrySettingsStore``."""


def apply_to_registry_settings(step: RegistrySettingsStep, store: RegistrySettingsStore) -> None:
    """Carry out one step."""
    match step:
        case PutAccountSetting():
            store.put_account_setting(step.registry, step.name, step.value)
        case PutRegistryPolicy():
            store.put_policy(step.registry, step.document)
        case DeleteRegistryPolicy():
            store.delete_policy(step.registry)
        case PutRegistryScanning():
            store.put_scanning(step.registry, step.document)
        case PutCreationTemplate() if step.is_new:
            store.create_template(step.registry, step.template)
        case PutCreationTemplate():
            store.update_template(step.registry, step.template)
        case PutReplicationConfiguration():
            store.put_replication(step.registry, step.document)
        case _:
            assert_never(step)
