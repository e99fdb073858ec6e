"""Names that fit two globs at once: what rules that seem to be about different repositories have in common."""

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Final

type Glob = tuple[str, str, str]
"""A glob, with a text before and after what it matches."""

ANY: Final = ""
"""Stands for any character of a repository name but a slash."""
_LAST: Final = "\x7f"
"""Comes after all characters of a name."""


class _Machine:
    """A glob as states with labelled ways between them; state 0 begins. ``*`` is at least so many characters long."""

    def __init__(self, before: str, glob: str, after: str, shortest: int) -> None:
        self._shortest = shortest
        self.ways: list[list[tuple[str, int]]] = [[]]
        self.free: list[list[int]] = [[]]
        self._last = 0
        self._read(before)
        *folders, last = glob.split("/")
        for folder in folders:
            if folder == "**":
                self._folders()
            else:
                self._segment(folder)
                self._read("/")
        if last == "**":
            self._folders()
            self._some()
        else:
            self._segment(last)
        self._read(after)
        self.end = self._last

    def reached(self, state: int) -> Iterator[int]:
        """A state, and those that are reached from it without a character."""
        todo, seen = [state], {state}
        while todo:
            yield (here := todo.pop())
            for there in self.free[here]:
                if there not in seen:
                    seen.add(there)
                    todo.append(there)

    def _new(self) -> int:
        self.ways.append([])
        self.free.append([])
        return len(self.ways) - 1

    def _read(self, text: str) -> None:
        for character in text:
            there = self._new()
            self.ways[self._last].append((character, there))
            self._last = there

    def _segment(self, segment: str) -> None:
        texts = segment.split("*")
        for number, text in enumerate(texts):
            self._read(text)
            if number == len(texts) - 1:
                return
            before = self._last
            self._some()
            there = self._new()  # what follows must not lead back into the star
            self.free[self._last].append(there)
            if not self._shortest:
                self.free[before].append(there)
            self._last = there

    def _some(self) -> None:
        there = self._new()
        self.ways[self._last].append((ANY, there))
        self.ways[there].append((ANY, there))
        self._last = there

    def _folders(self) -> None:
        start = self._new()
        self.free[self._last].append(start)
        inner = self._new()
        self.ways[start].append((ANY, inner))
        self.ways[inner] += [(ANY, inner), ("/", start)]
        there = self._new()
        self.free[start].append(there)
        self._last = there


@lru_cache(maxsize=4096)
def _machine(glob: Glob, shortest: int) -> _Machine:
    return _Machine(*glob, shortest)


def common_names(one: Glob, other: Glob) -> Iterator[str]:
    """Up to four texts that fit two globs; each glob with a text before and after what it matches.

    Names end with no separator, so those come first in which each ``*`` stands for something.
    """
    for mine, its in product((1, 0), repeat=2):
        text = _common(_machine(one, mine), _machine(other, its))
        if text is not None:
            yield text


def _common(left: _Machine, right: _Machine) -> str | None:
    """The shortest text that leads both from their begin to their end."""
    todo = deque([(0, 0, "")])
    seen = {(0, 0)}
    while todo:
        here, there, text = todo.popleft()
        mine, its = list(left.reached(here)), list(right.reached(there))
        if left.end in mine and right.end in its:
            return text
        for my_label, my_next in (way for state in mine for way in left.ways[state]):
            for its_label, its_next in (way for state in its for way in right.ways[state]):
                if (read := _both(my_label, its_label)) and (my_next, its_next) not in seen:
                    seen.add((my_next, its_next))
                    todo.append((my_next, its_next, text + read))
    return None


def _both(one: str, other: str) -> str:
    """A character that two labels stand for; none where there is none."""
    if one == other:
        return one or "a"
    if ANY in {one, other}:
        character = one or other
        return "" if character == "/" else character
    return ""


# ---------------------------------------------------------------- which globs may meet


def pairs(ones: Collection[Glob], others: Collection[Glob]) -> Iterator[tuple[Glob, Glob]]:
    """Each of some globs beside each of others, if both may begin and end alike."""
    every = dict.fromkeys([*ones, *others])
    begins = {glob: _begin(glob) for glob in every}
    ends = {glob: _end(glob)[::-1] for glob in every}
    by_begin, by_end = (_ByText({glob: texts[glob] for glob in others}) for texts in (begins, ends))
    for one in ones:
        begin, end = begins[one], ends[one]
        # Of thousands that begin with a wildcard only few end alike, and the other way round.
        for other in min(by_begin.alike(begin), by_end.alike(end), key=len):
            if other != one and _one_begins(begin, begins[other]) and _one_begins(end, ends[other]):
                yield one, other


class _ByText:
    """Globs in the order of a text of each, so that those are found that begin as another text does."""

    def __init__(self, texts: Mapping[Glob, str]) -> None:
        self._globs = sorted(texts, key=texts.__getitem__)
        self._texts = [texts[glob] for glob in self._globs]

    def alike(self, text: str) -> list[Glob]:
        """Those whose text begins with this one, and those with whose text this one begins."""
        found = self._between(text, text + _LAST)
        for length in range(len(text)):
            found += self._between(text[:length], text[:length] + "\0")
        return found

    def _between(self, first: str, last: str) -> list[Glob]:
        return self._globs[bisect_left(self._texts, first) : bisect_left(self._texts, last)]


def _one_begins(one: str, other: str) -> bool:
    """Whether one of two texts begins with the other."""
    return one.startswith(other) or other.startswith(one)


def _begin(glob: Glob) -> str:
    """What stands before the first wildcard."""
    before, pattern, after = glob
    literal, star, _ = pattern.partition("*")
    return before + literal + ("" if star else after)


def _end(glob: Glob) -> str:
    """What stands after the last wildcard. With ``**`` goes the slash behind it, where it stands for nothing."""
    before, pattern, after = glob
    head, star, literal = pattern.rpartition("*")
    if head.endswith("*"):
        literal = literal.removeprefix("/")
    return ("" if star else before) + literal + after
