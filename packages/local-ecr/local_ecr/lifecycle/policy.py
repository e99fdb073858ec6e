"""A lifecycle policy as the evaluator reads it: rules in the order in which they are applied."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from local_ecr.images.mutability import matches_wildcard

STANDARD = "STANDARD"
ARCHIVE = "ARCHIVE"

EXPIRE = "EXPIRE"
TRANSITION = "TRANSITION"

COUNT = "imageCountMoreThan"
SINCE_PUSHED = "sinceImagePushed"
SINCE_PULLED = "sinceImagePulled"
SINCE_TRANSITIONED = "sinceImageTransitioned"


@dataclass(frozen=True)
class Rule:
    priority: int
    """The lowest number is applied first."""
    tag_status: str
    """tagged, untagged or any."""
    tag_prefixes: tuple[str, ...]
    tag_patterns: tuple[str, ...]
    """In which `*` stands for any characters or none."""
    storage_class: str
    """STANDARD or ARCHIVE: only images of this class are selected."""
    count_type: str
    count_number: int
    """Images for imageCountMoreThan, days for the others."""
    action: str
    """EXPIRE, or TRANSITION to the archive."""

    def selects(self, image_tags: Iterable[str]) -> bool:
        """Whether an image with these tags meets the rule's tagging requirements.

        Every prefix and every pattern must match one of the tags; one tag may match several.
        """
        if self.tag_status == "any":
            return True
        tags = list(image_tags)
        if self.tag_status == "untagged":
            return not tags
        return (
            bool(tags)
            and all(any(tag.startswith(prefix) for tag in tags) for prefix in self.tag_prefixes)
            and all(any(matches_wildcard(pattern, tag) for tag in tags) for pattern in self.tag_patterns)
        )


def read_policy(text: str) -> tuple[Rule, ...]:
    """The rules of a policy that `check_lifecycle_policy` has accepted, the first to be applied first."""
    rules = []
    for rule in json.loads(text)["rules"]:
        selection = rule["selection"]
        rules.append(
            Rule(
                priority=rule["rulePriority"],
                tag_status=selection["tagStatus"],
                tag_prefixes=tuple(selection.get("tagPrefixList", ())),
                tag_patterns=tuple(selection.get("tagPatternList", ())),
                storage_class=selection.get("storageClass", "standard").upper(),
                count_type=selection["countType"],
                count_number=selection["countNumber"],
                action=rule["action"]["type"].upper(),
            )
        )
    return tuple(sorted(rules, key=lambda one: one.priority))
