"""From the key ``image_tags`` to rules that the domain reads."""

from ecr_steward.domain.tag_rules import (
    AliasMove,
    AliasRules,
    CompanionRules,
    OnViolation,
    Requirement,
    TagExpiry,
    TagRules,
)
from ecr_steward.rulebook.image_tag_checks import stuck_by
from ecr_steward.rulebook.image_tags import Aliases, ImageTags
from ecr_steward.rulebook.patterns import alias_matcher, regex_matcher, tag_matcher
from ecr_steward.rulebook.requirements import Companions, Required, RequiredReferrer, RequiredValue
from ecr_steward.rulebook.versions import VERSION_READERS


def tag_rules(image_tags: ImageTags) -> TagRules:
    """Compile which image tags a repository may hold."""
    return TagRules(
        allow=tuple(map(tag_matcher, image_tags.allow)),
        deny=tuple(map(tag_matcher, image_tags.deny)),
        protect=tuple(map(tag_matcher, image_tags.protect)),
        labels=_requirements(image_tags.labels),
        annotations=_requirements(image_tags.annotations),
        companions=_companions(image_tags.companions) if image_tags.companions else None,
        aliases=_aliases(image_tags, image_tags.aliases) if image_tags.aliases else None,
        on_violation=OnViolation(image_tags.on_violation),
        expire=tuple(TagExpiry(tuple(map(tag_matcher, entry.tags)), entry.after) for entry in image_tags.expire),
    )


def _aliases(image_tags: ImageTags, aliases: Aliases) -> AliasRules:
    forms = tuple(map(alias_matcher, aliases.add))
    move = AliasMove(aliases.move)
    return AliasRules(aliases.add, VERSION_READERS[aliases.from_], forms, move, stuck_by(image_tags))


def _requirements(wanted: Required | None) -> tuple[Requirement, ...]:
    return tuple(map(_requirement, wanted.required)) if wanted else ()


def _requirement(entry: str | RequiredValue) -> Requirement:
    if isinstance(entry, str):
        return Requirement(entry)
    return Requirement(entry.key, regex_matcher(entry.pattern))


def _companions(companions: Companions) -> CompanionRules:
    return CompanionRules(
        artifact_types=tuple(each.artifact_type for each in companions.required if isinstance(each, RequiredReferrer)),
        cosign_signature="cosign_signature" in companions.required,
        within=companions.within,
    )
