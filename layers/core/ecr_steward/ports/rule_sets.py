"""The port to the memory of which rules held for a repository."""

from typing import Protocol

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.rule_sets import RuleSet


class RuleSets(Protocol):
    """Which rules held for repositories when they were last looked at. Every method may raise retryable errors."""

    def last(self, repository: RepositoryRef) -> RuleSet | None:
        """The rules of a repository when it was last looked at; ``None`` at the first time. Needs dynamodb:GetItem."""
        ...

    def remember(self, repository: RepositoryRef, rule_set: RuleSet) -> None:
        """Remember them, whatever was known before. Needs dynamodb:PutItem."""
        ...
