"""What no single value of ``registries`` can tell: contradictions, and what ECR would refuse or never do."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.text import POLICY_LIMIT, policy_text
from ecr_steward.domain.registry_governance import MOST_DESTINATIONS
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_registries import CACHE_ACTIONS, REPLICATION_ACTIONS, registry_policy
from ecr_steward.rulebook.creation_template_checks import templates_agree
from ecr_steward.rulebook.native_replication import replications_end
from ecr_steward.rulebook.patterns import star_matcher
from ecr_steward.rulebook.problems import Path, Problem, spell_path
from ecr_steward.rulebook.registries import (
    Registry,
    RegistryMatch,
    RegistryPolicy,
    RegistryReplication,
    RegistryScanning,
)
from ecr_steward.rulebook.settings import RepositoryRules

_LONGEST_REGISTRY: Final = RegistryRef("000000000000", "us-gov-west-1")
_PARTS: Final = ("policy", "scanning", "replication", "creation_templates", "account_settings")
_FREQUENCIES: Final = {"basic": ("on_push", "manual"), "enhanced": ("on_push", "continuous")}
_FIRST_SCOPE: Final = {*REPLICATION_ACTIONS, *CACHE_ACTIONS, "ecr:*"}
_NEEDED: Final = ("ecr:PutRegistryScanningConfiguration", "ecr:GetRegistryScanningConfiguration", "ecr:DescribeImages")
"""Some of the actions that Amazon Inspector calls in the name of its own role."""


def registries_agree(
    registries: Mapping[int, Registry], settings: Mapping[str, RepositoryRules | None]
) -> Iterator[Problem]:
    """Check all entries, by position. ``settings`` are those of the repositories of each rule, by its name."""
    yield from _names_differ(registries, settings)
    yield from _every_key_decides(registries)
    for position, entry in registries.items():
        at: Path = ("registries", position)
        if entry.policy is not None:
            yield from _policy_fits(entry.policy, entry, (*at, "policy"))
        if entry.scanning is not None:
            yield from _scanning_fits(entry.scanning, (*at, "scanning"))
        if entry.replication is not None:
            yield from _replication_fits(entry.replication, entry.match, (*at, "replication"))
        if entry.creation_templates is not None:
            yield from templates_agree(entry.creation_templates, settings, (*at, "creation_templates"))
    yield from replications_end(registries)


def _names_differ(registries: Mapping[int, Registry], rules: Container[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, entry in registries.items():
        earlier = first.setdefault(entry.name, position)
        if earlier != position:
            there = spell_path(("registries", earlier))
            message = f"there is an entry `{entry.name}` already: {there}"
            yield Problem(("registries", position, "name"), message, code=Code.NAME_TWICE)
        elif entry.name in rules:
            message = f"there is a rule `{entry.name}` already, and every step names the one that asks for it"
            yield Problem(("registries", position, "name"), message, "another name", code=Code.NAME_TWICE)


def _every_key_decides(registries: Mapping[int, Registry]) -> Iterator[Problem]:
    for position, entry in registries.items():
        at: Path = ("registries", position)
        said = [part for part in _PARTS if getattr(entry, part) is not None]
        if not said:
            keys = ", ".join(f"`{part}`" for part in _PARTS)
            message = f"the entry `{entry.name}` asks for nothing"
            yield Problem(at, message, f"one of {keys}", code=Code.REGISTRY_SAYS_NOTHING)
        earlier = [other for number, other in registries.items() if number < position]
        for part in said:
            taken = (one for one in earlier if getattr(one, part) is not None and _takes_all(one.match, entry.match))
            if (other := next(taken, None)) is not None:
                yield Problem(
                    (*at, part),
                    f"this never decides anything: `{other.name}` above matches every registry that this entry does, "
                    f"and says `{part}`",
                    f"this entry above `{other.name}`, or another `match`",
                    code=Code.REGISTRY_NEVER_DECIDES,
                )


def _takes_all(one: RegistryMatch, other: RegistryMatch) -> bool:
    """Whether a match takes every registry that another takes."""
    return all(
        not wide or (narrow and all(any(star_matcher(each).matches(text) for each in wide) for text in narrow))
        for wide, narrow in ((one.accounts, other.accounts), (one.regions, other.regions))
    )


# ---------------------------------------------------------------- the registry policy


def _policy_fits(policy: RegistryPolicy, entry: Registry, at: Path) -> Iterator[Problem]:
    statements = registry_policy(policy, _LONGEST_REGISTRY).statements
    length = len(policy_text({"Version": "2012-10-17", "Statement": statements}))
    if length > POLICY_LIMIT:
        message, most = f"the registry policy has {length} characters", f"at most {POLICY_LIMIT}, as ECR takes them"
        yield Problem(at, message, most, code=Code.REGISTRY_POLICY_TOO_LONG)
    sids = [statement["Sid"] for statement in statements]
    own = len(sids) - len(policy.statements)
    scope = entry.account_settings.registry_policy_scope if entry.account_settings else None
    for number, statement in enumerate(policy.statements):
        place: Path = (*at, "statements", number)
        if sids[own + number] in sids[: own + number]:
            message = f"`{statement.sid}` is the Sid of another statement of this policy"
            yield Problem((*place, "Sid"), message, code=Code.SID_TWICE)
        actions = statement.action if isinstance(statement.action, list) else [statement.action]
        if statement.effect == "Deny" and (shut := _shuts_out(actions)):
            yield Problem(
                (*place, "Action"),
                f"a Deny of `{shut}` in the registry policy holds for Amazon Inspector and for the steward, too: scans "
                "end, and nobody else's error says why",
                "the actions alone that are meant, such as ecr:PutImage",
                code=Code.REGISTRY_POLICY_DENIES,
            )
        unknown = next((action for action in actions if action not in _FIRST_SCOPE), None)
        if scope == "V1" and unknown is not None:
            yield Problem(
                (*place, "Action"),
                f"with `registry_policy_scope: V1` the policy is never asked about `{unknown}`, and ECR refuses it",
                "registry_policy_scope: V2",
                code=Code.REGISTRY_POLICY_SCOPE,
            )


def _shuts_out(actions: Sequence[str]) -> str | None:
    """The action of a Deny that stops what has to go on."""
    for action in actions:
        matcher = star_matcher(action.lower())
        if any(matcher.matches(needed.lower()) for needed in _NEEDED):
            return action
    return None


# ---------------------------------------------------------------- scanning and replication


def _scanning_fits(scanning: RegistryScanning, at: Path) -> Iterator[Problem]:
    frequencies = [rule.frequency for rule in scanning.rules]
    known = _FREQUENCIES[scanning.type]
    for number, frequency in enumerate(frequencies):
        place: Path = (*at, "rules", number, "frequency")
        if frequency not in known:
            message = f"{scanning.type} scans know no `{frequency}`"
            yield Problem(place, message, f"one of {', '.join(known)}", code=Code.SCAN_FREQUENCY)
        if frequency in frequencies[:number]:
            message = f"there is a rule for `{frequency}` already"
            yield Problem(place, message, "the filters of both in one rule", code=Code.SCAN_FREQUENCY_TWICE)


def _replication_fits(replication: RegistryReplication, match: RegistryMatch, at: Path) -> Iterator[Problem]:
    seen: list[frozenset[str]] = []
    destinations: set[tuple[str | None, str | None]] = set()
    for number, rule in enumerate(replication.rules):
        place: Path = (*at, "rules", number)
        if frozenset(rule.repositories) in seen:
            message = "a rule above is for the same repositories"
            yield Problem(place, message, "the destinations of both in one rule", code=Code.REPLICATION_PREFIXES_TWICE)
        seen.append(frozenset(rule.repositories))
        for which, to in enumerate(rule.to):
            if to in rule.to[:which]:
                yield Problem((*place, "to", which), "this stands above already", "each once", code=Code.ENTRY_TWICE)
            elif _always_itself(to.account, match.accounts) and _always_itself(to.region, match.regions):
                message = "every registry of this entry would replicate to itself"
                yield Problem((*place, "to", which), message, code=Code.DESTINATION_IS_SOURCE)
            destinations.add((to.account, to.region))
    if len(destinations) > MOST_DESTINATIONS:
        message = f"the rules have {len(destinations)} destinations together"
        most = f"at most {MOST_DESTINATIONS}, as ECR takes them"
        yield Problem((*at, "rules"), message, most, code=Code.REPLICATION_DESTINATIONS)


def _always_itself(to: str | None, here: Sequence[str]) -> bool:
    return to is None or set(here) == {to}
