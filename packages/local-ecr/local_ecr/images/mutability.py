"""Which image tags may move: four modes and exclusion filters, whose only wildcard is `*`."""

from __future__ import annotations

from dataclasses import dataclass

MUTABLE = "MUTABLE"
IMMUTABLE = "IMMUTABLE"
IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"


@dataclass(frozen=True)
class Mutability:
    mode: str = MUTABLE
    exclusion_filters: tuple[str, ...] = ()

    def protects(self, image_tag: str) -> bool:
        """Whether a tag, once set, stays on its image."""
        excluded = any(matches_wildcard(pattern, image_tag) for pattern in self.exclusion_filters)
        if self.mode == IMMUTABLE_WITH_EXCLUSION:
            return not excluded
        if self.mode == MUTABLE_WITH_EXCLUSION:
            return excluded
        return self.mode == IMMUTABLE


def matches_wildcard(pattern: str, text: str) -> bool:
    """Whether `pattern` covers the whole of `text`; `*` stands for any characters or none, all else for itself.

    Linear in pattern times text, whatever a hostile pattern holds.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    position = len(first)
    *middle, last = rest
    for piece in middle:
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return len(text) - position >= len(last) and text.endswith(last)
