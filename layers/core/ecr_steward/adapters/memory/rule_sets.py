"""A memory of rule sets that ends with its test."""

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.rule_sets import RuleSet


class InMemoryRuleSets:
    """A ``RuleSets``."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._known: dict[RepositoryRef, RuleSet] = {}

    def last(self, repository: RepositoryRef) -> RuleSet | None:
        with self.calls.record("last", repository):
            return self._known.get(repository)

    def remember(self, repository: RepositoryRef, rule_set: RuleSet) -> None:
        with self.calls.record("remember", repository, rule_set):
            self._known[repository] = rule_set
