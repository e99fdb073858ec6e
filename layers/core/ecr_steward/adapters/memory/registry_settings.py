"""Settings of registries in memory, as Amazon ECR has them where the steward could notice.

Modelled, with the fact's source: a new registry scans on request and has no policy, rule or template; an empty
registry policy is refused; a template is created once and changed afterwards, where what is not given stays (API
references of the operations); a registry that has set nothing has the value that ECR gives to new ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import CreationTemplate, RegistrySettings
from ecr_steward.domain.repositories import Document, Encryption, Mutability, TagMutability
from ecr_steward.errors import RefusedByRegistryError

FRESH: Mapping[str, str] = {
    "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE",
    "REGISTRY_POLICY_SCOPE": "V2",
    "BLOB_MOUNTING": "DISABLED",
}
"""The account settings of a new registry."""


class InMemoryRegistrySettings:
    """A ``RegistrySettingsStore``."""

    def __init__(
        self, settings: Mapping[RegistryRef, RegistrySettings] | None = None, calls: Calls | None = None
    ) -> None:
        self.calls = calls or Calls()
        self._settings = dict(settings or {})

    def settings_of(self, registry: RegistryRef) -> RegistrySettings:
        """Everything that is set, without a recorded call."""
        return self._settings.get(registry, RegistrySettings())

    def change(self, registry: RegistryRef, **settings: object) -> None:
        """Change some settings, as somebody by hand."""
        self._settings[registry] = replace(self.settings_of(registry), **settings)  # type: ignore[arg-type]

    # ------------------------------------------------------------------ the port

    def policy(self, registry: RegistryRef) -> Document | None:
        with self.calls.record("policy", registry):
            return self.settings_of(registry).policy

    def scanning(self, registry: RegistryRef) -> Document:
        with self.calls.record("scanning", registry):
            return self.settings_of(registry).scanning

    def replication(self, registry: RegistryRef) -> Document:
        with self.calls.record("replication", registry):
            return self.settings_of(registry).replication

    def creation_templates(self, registry: RegistryRef) -> Iterator[CreationTemplate]:
        with self.calls.record("creation_templates", registry):
            yield from self.settings_of(registry).creation_templates.values()

    def account_setting(self, registry: RegistryRef, name: str) -> str:
        with self.calls.record("account_setting", registry, name):
            return self.settings_of(registry).account_settings.get(name, FRESH[name])

    def put_policy(self, registry: RegistryRef, document: Document) -> None:
        with self.calls.record("put_policy", registry, document):
            if not document.get("Statement"):
                raise RefusedByRegistryError(f"{registry}: Invalid registry policy provided")
            self.change(registry, policy=document)

    def delete_policy(self, registry: RegistryRef) -> None:
        with self.calls.record("delete_policy", registry):
            self.change(registry, policy=None)

    def put_scanning(self, registry: RegistryRef, document: Document) -> None:
        with self.calls.record("put_scanning", registry, document):
            self.change(registry, scanning=document)

    def put_replication(self, registry: RegistryRef, document: Document) -> None:
        with self.calls.record("put_replication", registry, document):
            for rule in document["rules"]:
                if {"region": registry.region, "registryId": registry.account} in rule["destinations"]:
                    raise RefusedByRegistryError(f"{registry}: a destination cannot be the source registry")
            self.change(registry, replication=document)

    def create_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        with self.calls.record("create_template", registry, template):
            if template.key in self.settings_of(registry).creation_templates:
                raise RefusedByRegistryError(f"{registry}: the template {template.prefix} already exists")
            blank = CreationTemplate(
                template.prefix,
                template.applied_for,
                mutability=TagMutability(Mutability.MUTABLE),
                encryption=Encryption("AES256"),
            )
            self._put(registry, _changed(blank, template))

    def update_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        with self.calls.record("update_template", registry, template):
            known = self.settings_of(registry).creation_templates.get(template.key)
            if known is None:
                raise RefusedByRegistryError(f"{registry}: there is no template {template.prefix}")
            self._put(registry, _changed(known, template))

    def put_account_setting(self, registry: RegistryRef, name: str, value: str) -> None:
        with self.calls.record("put_account_setting", registry, name, value):
            self.change(registry, account_settings={**self.settings_of(registry).account_settings, name: value})

    def _put(self, registry: RegistryRef, template: CreationTemplate) -> None:
        known = self.settings_of(registry).creation_templates
        self.change(registry, creation_templates={**known, template.key: template})


def _changed(known: CreationTemplate, given: CreationTemplate) -> CreationTemplate:
    """What is not given stays; AWS's own key is named where none was."""
    return CreationTemplate(
        known.prefix,
        given.applied_for,
        description=given.description or known.description,
        mutability=given.mutability or known.mutability,
        policy=given.policy or known.policy,
        lifecycle=known.lifecycle if given.lifecycle is None else given.lifecycle if given.lifecycle["rules"] else None,
        encryption=given.encryption or known.encryption,
        resource_tags=given.resource_tags or known.resource_tags,
        role=given.role or known.role,
    )
