"""The lifecycle policy that the rulebook's words make.

Equal words make equal documents, so that an equal document is never written again.
"""

from collections.abc import Iterable
from typing import Any

from ecr_steward.domain.repositories import Document
from ecr_steward.rulebook.lifecycle import Keep, LifecycleEntry


def lifecycle_policy(entries: Iterable[LifecycleEntry]) -> Document:
    """The lifecycle policy that says this; the first entry has the highest priority."""
    return {"rules": [_lifecycle_rule(priority, entry) for priority, entry in enumerate(entries, start=1)]}


def _lifecycle_rule(priority: int, entry: LifecycleEntry) -> dict[str, Any]:
    chosen = entry.selection
    selection: dict[str, Any] = {"tagStatus": "untagged" if chosen.untagged else "tagged" if chosen.tags else "any"}
    if chosen.tags:
        selection["tagPatternList"] = list(chosen.tags)
    which = {"untagged": "untagged images", "tagged": " ".join(chosen.tags or ()), "any": "all images"}[
        selection["tagStatus"]
    ]
    if isinstance(chosen, Keep):
        description = f"ecr-steward: keep the newest {chosen.newest} of {which}"
        selection |= {"countType": "imageCountMoreThan", "countNumber": chosen.newest}
    else:
        description = f"ecr-steward: expire {which} {chosen.after} days after their push"
        selection |= {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": chosen.after}
    return {"rulePriority": priority, "description": description, "selection": selection, "action": {"type": "expire"}}
