"""From the key ``image_tags`` to rules that the domain reads."""

from ecr_steward.domain.tag_rules import AliasRules, OnViolation, TagRules
from ecr_steward.rulebook.image_tags import ImageTags
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward.rulebook.versions import VERSION_READERS


def tag_rules(image_tags: ImageTags) -> TagRules:
    """Compile which image tags a repository may hold."""
    aliases = image_tags.aliases
    return TagRules(
        allow=tuple(map(tag_matcher, image_tags.allow)),
        deny=tuple(map(tag_matcher, image_tags.deny)),
        aliases=AliasRules(aliases.add, VERSION_READERS[aliases.from_]) if aliases else None,
        on_violation=OnViolation(image_tags.on_violation),
    )
