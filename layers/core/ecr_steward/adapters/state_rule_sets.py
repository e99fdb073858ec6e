"""The ``RuleSets`` port over the state table: an item for each repository whose rules depend on resource tags.

No item expires: a repository that was forgotten could be moved without a word.
"""

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.rule_sets import RuleSet


class StateRuleSets:
    """A ``RuleSets``."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def last(self, repository: RepositoryRef) -> RuleSet | None:
        item = self._table.get(_key(repository))
        if item is None:
            return None
        names = item.attributes.get("names")
        return RuleSet(tuple(names) if isinstance(names, list) else (), item.text("rulebook"))

    def remember(self, repository: RepositoryRef, rule_set: RuleSet) -> None:
        self._table.put(Item(_key(repository), {"names": list(rule_set.names), "rulebook": rule_set.rulebook}))


def _key(repository: RepositoryRef) -> Key:
    return Key(f"rules#{repository.registry}", repository.name)
