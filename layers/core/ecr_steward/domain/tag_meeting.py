"""Image tags that two copies may have in common, as far as patterns show it."""

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.rules import ReplicationRules


def may_share_a_tag(one: ReplicationRules, other: ReplicationRules) -> bool:
    """Whether two entries may copy one image tag."""
    return not one.tags or not other.tags or any(_may_meet(mine, its) for mine in one.tags for its in other.tags)


def is_text(pattern: Matcher) -> bool:
    """Whether a pattern is a text that only itself fits."""
    return "*" not in pattern.spelling and _is_plain(pattern)


def _may_meet(one: Matcher, other: Matcher) -> bool:
    """Whether some text may fit two patterns. Of regular expressions and schemes only texts are known not to fit."""
    for literal, pattern in ((one, other), (other, one)):
        if is_text(literal):
            return pattern.matches(literal.spelling)
    if _is_plain(one) and _is_plain(other):
        return _agree(one.spelling, other.spelling) and _agree(one.spelling[::-1], other.spelling[::-1])
    return True


def _is_plain(pattern: Matcher) -> bool:
    """Whether a pattern is a text in which ``*`` stands for anything, and neither a scheme nor a regular expression."""
    text = pattern.spelling.replace("*", "Z")
    return pattern.matches(text) and ("." not in text or not pattern.matches(text.replace(".", "x")))


def _agree(one: str, other: str) -> bool:
    """Whether what stands before the first ``*`` of two patterns can begin one text."""
    mine, its = one.partition("*")[0], other.partition("*")[0]
    return mine.startswith(its) or its.startswith(mine)
