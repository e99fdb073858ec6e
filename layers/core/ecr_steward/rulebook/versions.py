"""Versions in image tags: Semantic Versioning 2.0.0 with three parts, and one ``v`` in front where people write one."""

import semver

from ecr_steward.domain.tag_rules import Version


def read_version(image_tag: str) -> Version | None:
    """Read a version from an image tag; ``None`` where the tag is no version. ``v1.4.2`` equals ``1.4.2``."""
    if not image_tag.isascii():  # the library takes any Unicode digit for one
        return None
    try:
        parsed = semver.Version.parse(image_tag.removeprefix("v"))
    except ValueError:
        return None
    return Version(parsed.major, parsed.minor, parsed.patch, parsed, is_prerelease=parsed.prerelease is not None)
