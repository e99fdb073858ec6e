"""The nearest right word to a wrong one."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

_CUTOFF = 0.6


def nearest_word(wrong: str, words: Iterable[str]) -> str | None:
    """The word that a person most likely meant, or ``None`` where none is near."""
    return _nearest(wrong, tuple(words))


@lru_cache(maxsize=1024)  # whoever misspells a word in one rule does so in the next thousand, too
def _nearest(wrong: str, words: tuple[str, ...]) -> str | None:
    spelled = _plain(wrong)
    score, word = max(((_likeness(spelled, _plain(word)), word) for word in words), default=(0.0, ""))
    return word if score >= _CUTOFF else None


def _likeness(one: str, other: str) -> float:
    # Twice, since the matcher is not symmetric; letters in any order decide between words that are equally like.
    ratio = max(SequenceMatcher(None, one, other).ratio(), SequenceMatcher(None, other, one).ratio())
    return ratio + SequenceMatcher(None, sorted(one), sorted(other)).ratio() / 100


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")
