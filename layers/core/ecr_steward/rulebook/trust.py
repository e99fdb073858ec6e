"""Principals that a rulebook names in policies and in ECR's own replication, and that a deployment does not trust.

The account that a policy stands in is always trusted. An organization is trusted for what carries its id in a
condition, not for accounts: a rulebook does not say which organization an account belongs to.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.openings import let_in_by
from ecr_steward.domain.policies.outside import outsiders_of
from ecr_steward.domain.policies.rules import Inside
from ecr_steward.domain.policies.statements import Statement
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.policy import Policy, PolicyStatement
from ecr_steward.rulebook.policy_document import PULL_ACTIONS, grants
from ecr_steward.rulebook.problems import Path
from ecr_steward.rulebook.registries import Registry, RegistryStatement
from ecr_steward.rulebook.words import ACCOUNT_ID

_HERE: Final = RegistryRef("000000000000", "us-east-1")
"""Stands for the registry of the policy, whichever that is."""

_ACCOUNT_IN_WORD: Final = re.compile(rf"(?:[a-z]+:)?({ACCOUNT_ID})(?::.*)?")


@dataclass(frozen=True)
class Untrusted:
    """A principal, as the rulebook writes it, with its place."""

    at: Path
    name: str
    account: str | None
    """The account that it names, if any."""
    in_statement: bool = False
    """Whether it stands in a statement in AWS's own words, where a condition can limit it."""


def trusted_in(listed: str, accounts: Iterable[str] = (), organization: str | None = None) -> Inside | None:
    """What a list says, separated by commas: account ids and ids of organizations; ``None`` for an empty one.

    ``accounts`` and ``organization`` are trusted beside those of the list.
    """
    entries = frozenset(filter(None, listed.split(",")))
    if not entries:
        return None
    organizations = frozenset(entry for entry in entries if entry.startswith("o-"))
    beside = frozenset({organization} if organization else ())
    return Inside((entries - organizations) | frozenset(accounts), organizations | beside)


def untrusted(rulebook: Rulebook, trusted: Inside) -> Iterator[Untrusted]:
    """The principals that are not shown to be among the trusted ones. A ``Deny`` grants nothing to anybody."""
    inside = Inside(trusted.accounts | {_HERE.account}, trusted.organizations)
    for at, policy in _policies(rulebook):
        yield from _of_words(policy.pull, (*at, "pull"), inside)
        yield from _of_words(policy.push, (*at, "push"), inside)
        yield from _of_statements(policy.statements, (*at, "statements"), inside)
    for position, registry in enumerate(rulebook.registries):
        yield from _of_registry(registry, ("registries", position), inside)


def open_to_everybody(rulebook: Rulebook) -> Iterator[Path]:
    """Where a rulebook lets in the public: the places of the statements that do. No word for a principal does."""
    inside = Inside(frozenset({_HERE.account}))
    listed: list[tuple[Path, Iterable[PolicyStatement | RegistryStatement]]] = [
        (at, policy.statements) for at, policy in _policies(rulebook)
    ]
    for position, registry in enumerate(rulebook.registries):
        if registry.policy:
            listed.append((("registries", position, "policy"), registry.policy.statements))
    for at, statements in listed:
        for number, statement in enumerate(statements):
            written = statement.model_dump(by_alias=True, exclude_none=True)
            if any(opening.is_public for opening in let_in_by(Statement(written), inside)):
                yield (*at, "statements", number)


def _policies(rulebook: Rulebook) -> Iterator[tuple[Path, Policy]]:
    """Each repository policy as it stands in the rulebook, with its place: also of what is only inherited."""
    for at, said in rulebook.sections:
        if said.repository and said.repository.policy:
            yield (*at, "repository", "policy"), said.repository.policy
    for position, registry in enumerate(rulebook.registries):
        for number, template in enumerate(registry.creation_templates or ()):
            if template.policy:
                yield ("registries", position, "creation_templates", number, "policy"), template.policy


def _of_registry(registry: Registry, at: Path, inside: Inside) -> Iterator[Untrusted]:
    if registry.policy:
        here = (*at, "policy")
        yield from _of_words(registry.policy.replication_from, (*here, "replication_from"), inside)
        yield from _of_words(registry.policy.pull_through_cache, (*here, "pull_through_cache"), inside)
        yield from _of_statements(registry.policy.statements, (*here, "statements"), inside)
    for number, rule in enumerate(registry.replication.rules if registry.replication else ()):
        for which, to in enumerate(rule.to):
            if to.account is not None and to.account not in inside.accounts:
                place = (*at, "replication", "rules", number, "to", which, "account")
                yield Untrusted(place, to.account, to.account)


def _of_words(words: Iterable[str], at: Path, inside: Inside) -> Iterator[Untrusted]:
    for number, word in enumerate(words):
        statements = grants("Any", [word], PULL_ACTIONS, _HERE)
        if any(_not_inside(Statement(written), inside) for written in statements):
            account = _ACCOUNT_IN_WORD.fullmatch(word)
            yield Untrusted((*at, number), word, account[1] if account else None)


def _of_statements(
    statements: Iterable[PolicyStatement | RegistryStatement], at: Path, inside: Inside
) -> Iterator[Untrusted]:
    for number, statement in enumerate(statements):
        written = statement.model_dump(by_alias=True, exclude_none=True)
        for name, account in _not_inside(Statement(written), inside):
            yield Untrusted((*at, number, "Principal"), name, account, in_statement=True)


def _not_inside(statement: Statement, inside: Inside) -> list[tuple[str, str | None]]:
    """Also who may be outside, such as a service without a condition that says for whom it acts."""
    found = outsiders_of(statement, inside)
    return [(str(principal), principal.account) for principal in sorted(found.let_in | found.unsure, key=str)]
