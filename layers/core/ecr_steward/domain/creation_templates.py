"""Creation templates: what differs from the rulebook. Of a template that is there, only that is changed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.lifecycle.sameness import same_effect
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.openings import openings
from ecr_steward.domain.policies.statements import is_same_policy
from ecr_steward.domain.registries import CreationTemplate, PutCreationTemplate, RegistrySettings
from ecr_steward.domain.repositories import Document
from ecr_steward.errors import InvalidLifecyclePolicyError


def template_steps(
    rule: str, registry: RegistryRef, wanted: Iterable[CreationTemplate], actual: RegistrySettings
) -> Iterator[PutCreationTemplate | str]:
    """The steps that bring the templates a rule names to what it says, and remarks; other templates are left alone."""
    for asked in wanted:
        now = actual.creation_templates.get(asked.key)
        template = asked
        if now and now.mutability and asked.mutability and not now.mutability.is_known:
            yield (
                f"the creation template for {now.prefix} makes image tags {now.mutability}, the rulebook says "
                f"{asked.mutability}; left as it is: this version of ECR Steward does not know {now.mutability.mode}"
            )
            template = replace(asked, mutability=None)
        if now is None:
            why = f"there is no creation template for {template.prefix}"
            new = replace(template, lifecycle=template.lifecycle if _has_rules(template.lifecycle) else None)
            opens = openings(None, new.policy or {}, registry.account)
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=new, is_new=True, opens=opens)
        elif differing := _differing(template, now):
            change = CreationTemplate(now.prefix, template.applied_for, **differing)
            named = ", ".join(key for key in differing) or "applied_for"
            why = f"not as the rulebook says: {named}"
            opens = openings(now.policy, change.policy or {}, registry.account)
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=change, is_new=False, opens=opens)
        elif template.applied_for != now.applied_for:
            why = f"it is applied for {_spelled(now.applied_for)}, the rulebook says {_spelled(template.applied_for)}"
            change = CreationTemplate(now.prefix, template.applied_for)
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=change, is_new=False)


def _differing(wanted: CreationTemplate, actual: CreationTemplate) -> dict[str, Any]:
    """The fields to change, but for what the template is applied for."""
    changes: dict[str, Any] = {}
    for key in ("description", "mutability", "role"):
        value = getattr(wanted, key)
        if value is not None and value != getattr(actual, key):
            changes[key] = value
    if wanted.policy is not None and not is_same_policy(wanted.policy, actual.policy):
        changes["policy"] = wanted.policy
    if wanted.lifecycle is not None and not _is_same_lifecycle(wanted.lifecycle, actual.lifecycle):
        changes["lifecycle"] = wanted.lifecycle
    if wanted.encryption is not None and wanted.encryption != _without_unasked_key(wanted, actual).encryption:
        changes["encryption"] = wanted.encryption
    if not wanted.resource_tags.items() <= actual.resource_tags.items():
        changes["resource_tags"] = {**actual.resource_tags, **wanted.resource_tags}
    return changes


def _without_unasked_key(wanted: CreationTemplate, actual: CreationTemplate) -> CreationTemplate:
    """ECR names AWS's own key where none was given."""
    if wanted.encryption and wanted.encryption.key is None and actual.encryption:
        return replace(actual, encryption=replace(actual.encryption, key=None))
    return actual


def _has_rules(lifecycle: Document | None) -> bool:
    return lifecycle is not None and bool(lifecycle.get("rules"))


def _is_same_lifecycle(wanted: Document, actual: Document | None) -> bool:
    if not _has_rules(wanted):
        return actual is None
    try:
        return actual is not None and same_effect(read_lifecycle_policy(wanted), read_lifecycle_policy(actual))
    except InvalidLifecyclePolicyError:
        return wanted == actual


def _spelled(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
