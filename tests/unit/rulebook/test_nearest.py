"""The nearest right word, measured over typos that people make."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.words import SCHEMES

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all that stand in it."""
    yield model
    for field in model.model_fields.values():
        yield from parts_of(field.annotation)


def parts_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from models(annotation)
    for part in get_args(annotation):
        yield from parts_of(part)


def words_of(annotation: Any) -> Iterator[tuple[str, ...]]:
    """Every choice of words that an annotation holds."""
    if get_origin(annotation) is Literal:
        yield tuple(word for word in get_args(annotation) if isinstance(word, str))
    for part in get_args(annotation):
        yield from words_of(part)


MODELS = tuple(dict.fromkeys(models(Rulebook)))
CONTEXTS = [tuple(field.alias or name for name, field in model.model_fields.items()) for model in MODELS]
VALUES = sorted(
    {words for model in MODELS for field in model.model_fields.values() for words in words_of(field.annotation)}
)


def typos(word: str) -> Iterator[str]:
    """One wrong key press: a letter lost, doubled, swapped with its neighbour or hit beside; a dash for a line."""
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
        if at + 1 < len(word):
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for row in KEYBOARD if word.islower() else map(str.upper, KEYBOARD):
            if (place := row.find(word[at])) >= 0:
                yield word[:at] + row[place - 1 if place else 1] + word[at + 1 :]
    yield word.replace("_", "-")
    yield word.replace("_", "")
    yield word.swapcase()
    yield f"{word}s"


def all_typos() -> list[tuple[str, str, tuple[str, ...]]]:
    found = {
        (typo, word, words) for words in [*CONTEXTS, *VALUES, tuple(SCHEMES)] for word in words for typo in typos(word)
    }
    return sorted(case for case in found if case[0] and case[0] not in case[2])


@pytest.mark.slow
def test_the_right_word_is_found_in_95_of_100_typos():
    cases = all_typos()
    wrong = [case for case in cases if nearest_word(case[0], case[2]) != case[1]]

    assert len(MODELS) > 30
    assert len(cases) >= 200
    assert len(wrong) <= 0.05 * len(cases), wrong


@pytest.mark.parametrize("noise", ["xqzjkxqz", "zzzz", "kubernetes", "q", "x-y-z"])
def test_no_word_is_proposed_when_nothing_is_near(noise):
    assert nearest_word(noise, CONTEXTS[0]) is None


def test_no_word_is_proposed_when_there_are_none():
    assert nearest_word("anything", ()) is None
