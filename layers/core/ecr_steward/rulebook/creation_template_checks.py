"""Contradictions between creation templates, and what ECR could not create a repository by."""

from collections.abc import Iterator, Mapping, Sequence

from ecr_steward.rulebook.checks import policy_fits
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_registries import template_settings
from ecr_steward.rulebook.creation_templates import CreationTemplate
from ecr_steward.rulebook.lifecycle_checks import lifecycle_fits
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.settings import RepositoryRules


def templates_agree(
    templates: Sequence[CreationTemplate], settings: Mapping[str, RepositoryRules | None], at: Path
) -> Iterator[Problem]:
    """Check the templates of one entry. ``settings`` are those of each rule; ``None`` for a rule that has none."""
    seen: list[str] = []
    known = [name for name, of in settings.items() if of is not None]
    for number, template in enumerate(templates):
        place: Path = (*at, number)
        prefix = template.prefix.removesuffix("/")
        if prefix in seen:
            message = f"there is a template for `{prefix}` already"
            yield Problem((*place, "prefix"), message, "one template for each prefix", code=Code.TEMPLATE_TWICE)
        seen.append(prefix)
        if template.settings_of is not None and template.settings_of not in known:
            yield _no_settings(template.settings_of, settings, (*place, "settings_of"))
        yield from _can_be_used(template, settings, place)


def _no_settings(rule: str, settings: Mapping[str, RepositoryRules | None], at: Path) -> Problem:
    if rule in settings:
        return Problem(at, f"the rule `{rule}` says nothing about `repository`", code=Code.TEMPLATE_RULE)
    names = [name for name, of in settings.items() if of is not None]
    there = f"one of {', '.join(names)}" if names else "a rule with `repository`"
    message = f"there is no rule `{rule}`"
    return Problem(at, message, there, nearest_word(rule, names), code=Code.TEMPLATE_RULE)


def _can_be_used(
    template: CreationTemplate, settings: Mapping[str, RepositoryRules | None], at: Path
) -> Iterator[Problem]:
    words = template_settings(template, settings)
    needs = {
        "resource tags": bool(words.resource_tags),
        "a KMS key": template.encryption is not None and template.encryption.type != "aes256",
    }
    if template.role is None and any(needs.values()):
        yield Problem(
            at,
            f"with {' and '.join(what for what, is_so in needs.items() if is_so)} ECR creates no repository by this "
            "template without a role",
            "role: ecr-steward-creation-template",
            code=Code.TEMPLATE_WITHOUT_ROLE,
        )
    if template.policy is not None:
        yield from policy_fits(template.policy, (*at, "policy"))
    if template.lifecycle is not None:
        yield from lifecycle_fits(template.lifecycle, (*at, "lifecycle"))
