"""Which creation template counts for a new repository. Source: ECR user guide, "repository-creation-templates"."""

from __future__ import annotations

from collections.abc import Iterable

from local_ecr.state.creation_templates import CreationTemplate

ROOT = "ROOT"
"""The prefix of the template for every repository that no other template is for."""


def prefixes_above(repository_name: str) -> list[str]:
    """Every prefix that a template for this repository may have, the longest first and ROOT last.

    There is always an implied `/` at the end of a prefix: `prod` is above `prod/api`, not above `prod` or `production`.
    """
    parts = repository_name.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)] + [ROOT]


def choose_template(templates: Iterable[CreationTemplate], repository_name: str, cause: str) -> CreationTemplate | None:
    """The template with the longest prefix among those that are applied for this cause."""
    known = {template.key: template for template in templates if cause in template.applied_for}
    return next((known[prefix] for prefix in prefixes_above(repository_name) if prefix in known), None)
