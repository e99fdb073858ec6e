"""The nearest right word, measured over typos that people make."""

from collections.abc import Iterator

import pytest

from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.problems import known_keys

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
CONTEXTS = [
    known_keys(path)
    for path in [
        (),
        ("rules", 0),
        ("rules", 0, "match"),
        ("rules", 0, "image_tags"),
        ("rules", 0, "image_tags", "aliases"),
        ("rules", 0, "image_tags", "labels"),
        ("rules", 0, "image_tags", "labels", "required", 0),
        ("rules", 0, "image_tags", "companions"),
        ("rules", 0, "image_tags", "companions", "required", 0),
        ("rules", 0, "repository"),
        ("rules", 0, "repository", "policy"),
        ("rules", 0, "repository", "lifecycle", 0),
        ("rules", 0, "repository", "lifecycle", 0, "keep"),
        ("rules", 0, "repository", "lifecycle", 0, "expire"),
        ("rules", 0, "repository", "mutability"),
        ("rules", 0, "scan"),
        ("rules", 0, "scan", "fail_on"),
        ("rules", 0, "replicate", 0),
        ("rules", 0, "replicate", 0, "to", 0),
        ("waivers", 0),
        ("credentials", 0),
        ("credentials", 0, "registries", 0),
        ("credentials", 0, "sinks", 0),
    ]
]
VALUES = [
    ("observe", "enforce"),
    ("notify", "untag", "quarantine"),
    ("retag", "delete_and_retag"),
    ("semver", "calver", "git_sha"),
    ("on_push", "manual"),
    ("semver", "calver"),
    ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"),
    ("fail", "pass"),
    ("scan_passed",),
    ("dockerconfigjson",),
]


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
    found = {(typo, word, words) for words in [*CONTEXTS, *VALUES] for word in words for typo in typos(word)}
    return sorted(case for case in found if case[0] and case[0] not in case[2])


def test_the_right_word_is_found_in_95_of_100_typos():
    cases = all_typos()
    wrong = [case for case in cases if nearest_word(case[0], case[2]) != case[1]]

    assert len(cases) >= 200
    assert len(wrong) <= 0.05 * len(cases), wrong


@pytest.mark.parametrize("noise", ["xqzjkxqz", "zzzz", "kubernetes", "q", "x-y-z"])
def test_no_word_is_proposed_when_nothing_is_near(noise):
    assert nearest_word(noise, CONTEXTS[1]) is None


def test_no_word_is_proposed_when_there_are_none():
    assert nearest_word("anything", ()) is None
