"""The schemes of image tags: Semantic Versioning, Calendar Versioning, and the names of Git commits.

Of a version, one ``v`` in front is taken as people write it: ``v1.4.2`` equals ``1.4.2``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import semver

from ecr_steward.domain.tag_rules import Version

_CALENDAR = re.compile(
    r"(?P<year>20[0-9]{2}|[1-9][0-9])\.(?P<month>0?[1-9]|1[0-2])(\.(?P<third>[0-9]{1,5}))?(?P<modifier>[.-]?[A-Za-z][0-9A-Za-z._-]*)?"
)
"""YYYY or YY, then MM or 0M, then a day or a micro number, then a modifier, as https://calver.org names them."""
_CENTURY = 2000
_COMMIT = re.compile(r"(sha-|git-)?[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Scheme:
    """A named scheme of image tags."""

    matches: Callable[[str], bool]
    samples: tuple[Mapping[str, str], ...] = ()
    """Versions to try an alias template with."""
    releases: tuple[str, ...] = ()
    """The shapes of the image tags that read as a release: ``{...}`` stands for any number."""
    example: str = ""
    """A release, for sentences."""
    read: Callable[[str], Version | None] | None = None
    """Reads a version; a scheme without has no order, so that no alias can follow it."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The placeholders that an alias template may use."""
        return tuple(self.samples[0]) if self.samples else ()


def read_version(image_tag: str) -> Version | None:
    """Read a semantic version of three parts from an image tag; ``None`` where the tag is none."""
    if not image_tag.isascii():  # the library takes any Unicode digit for one
        return None
    try:
        parsed = semver.Version.parse(image_tag.removeprefix("v"))
    except ValueError:
        return None
    parts = {"major": str(parsed.major), "minor": str(parsed.minor), "patch": str(parsed.patch)}
    return Version(parts, parsed, is_prerelease=parsed.prerelease is not None)


def read_calendar_version(image_tag: str) -> Version | None:
    """Read a calendar version from an image tag; ``None`` where the tag is none.

    ``26.11`` and ``2026.11`` are the same month. What has a modifier, such as ``2026.11-rc1``, comes before.
    """
    found = _CALENDAR.fullmatch(image_tag.removeprefix("v"))
    if found is None:
        return None
    year, modifier = int(found["year"]), found["modifier"]
    order = (
        year if year >= _CENTURY else year + _CENTURY,
        int(found["month"]),
        int(found["third"] or 0),
        modifier is None,
        modifier or "",
    )
    return Version({"year": found["year"], "month": found["month"]}, order, is_prerelease=modifier is not None)


SCHEMES: Final[Mapping[str, Scheme]] = {
    "semver": Scheme(
        lambda text: read_version(text) is not None,
        (
            {"major": "0", "minor": "0", "patch": "0"},
            {"major": "1", "minor": "4", "patch": "2"},
            {"major": "10", "minor": "20", "patch": "30"},
        ),
        ("{major}.{minor}.{patch}", "v{major}.{minor}.{patch}"),
        "1.4.2",
        read_version,
    ),
    "calver": Scheme(
        lambda text: read_calendar_version(text) is not None,
        ({"year": "2026", "month": "11"}, {"year": "26", "month": "04"}, {"year": "2030", "month": "1"}),
        ("{year}.{month}", "v{year}.{month}", "{year}.{month}.{micro}", "v{year}.{month}.{micro}"),
        "2026.11",
        read_calendar_version,
    ),
    "git_sha": Scheme(lambda text: _COMMIT.fullmatch(text) is not None),
}
"""By the word that the rulebook uses."""
VERSION_READERS: Final = {name: scheme.read for name, scheme in SCHEMES.items() if scheme.read}
"""Of the schemes that aliases can follow."""
