"""What no single value of the rulebook can tell: contradictions between values, found before anything is enforced."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.planning import is_own
from ecr_steward.domain.policies.rules import OWN_SID
from ecr_steward.domain.policies.text import POLICY_LIMIT, compacted, is_too_long, policy_text
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.copies import copies_arrive
from ecr_steward.rulebook.copy_sources import copies_have_one_source
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.deciding import every_section_decides
from ecr_steward.rulebook.image_tag_checks import aliases_can_move, image_tags_agree, open_prereleases
from ecr_steward.rulebook.image_tags import TagPattern
from ecr_steward.rulebook.inheritance import inheritance_problems, resolve, resolve_rule
from ecr_steward.rulebook.lifecycle_checks import lifecycle_fits
from ecr_steward.rulebook.model import Defaults, Profile, Rule, Rulebook, Sections
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.policy_document import repository_policy
from ecr_steward.rulebook.problems import Path, Problem, spell_path
from ecr_steward.rulebook.registries import Registry
from ecr_steward.rulebook.settings import RepositoryRules
from ecr_steward.rulebook.trust import open_to_everybody
from ecr_steward.rulebook.waivers import Waiver

LONGEST_WAIVER: Final = timedelta(days=731)
"""Two years, of which one may be a leap year; a longer waiver gets a note."""

type _Named = Rule | Profile | Credential
_LONGEST_REGISTRY = RegistryRef("000000000000", "us-gov-west-1")


@dataclass(frozen=True)
class Parts:
    """What of a rulebook is well formed, each by its position in its list, and all names that profiles have."""

    rules: Mapping[int, Rule]
    profiles: Mapping[int, Profile]
    defaults: Defaults | None
    waivers: Mapping[int, Waiver]
    credentials: Mapping[int, Credential]
    registries: Mapping[int, Registry]
    profile_names: Sequence[object]


def contradictions(parts: Parts) -> Iterator[Problem]:
    """Check the parts of a rulebook against themselves and each other."""
    yield from _names_are_unique("rules", "a rule", parts.rules)
    yield from _names_are_unique("profiles", "a profile", parts.profiles)
    yield from inheritance_problems(parts.rules, parts.profiles, parts.profile_names)
    profiles = {profile.name: profile for profile in parts.profiles.values()}
    rules = {position: resolve_rule(rule, profiles, parts.defaults) for position, rule in parts.rules.items()}
    yield from every_section_decides(rules)
    inherited: set[tuple[Path, str]] = set()
    for at, sections in _sources(parts):
        for problem in _sections_agree(sections, at):
            inherited.add((problem.path[len(at) :], problem.message))
            yield problem
    for position, rule in rules.items():
        at = ("rules", position)
        for problem in _sections_agree(rule, at):
            if (problem.path[len(at) :], problem.message) not in inherited:  # told at the profile that it comes from
                yield problem
    yield from _copies_end(rules, parts)
    yield from _waivers_differ(parts.waivers)
    yield from _names_are_unique("credentials", "a credential", parts.credentials)
    yield from _logins_have_one_source(parts.credentials)


def _sources(parts: Parts) -> Iterator[tuple[Path, Sections]]:
    """Where sections stand that rules inherit."""
    if parts.defaults is not None:
        yield ("defaults",), parts.defaults
    for position, profile in parts.profiles.items():
        yield ("profiles", position), profile


def _sections_agree(said: Sections, at: Path) -> Iterator[Problem]:
    if said.image_tags is not None:
        yield from image_tags_agree(said.image_tags, (*at, "image_tags"))
    if said.repository is not None:
        protect = said.image_tags.protect if said.image_tags else ()
        yield from _settings_fit_ecr(said.repository, protect, (*at, "repository"))
    if said.image_tags and said.repository and said.repository.mutability:
        yield from aliases_can_move(said.image_tags, said.repository.mutability, at)


def _copies_end(rules: Mapping[int, Rule], parts: Parts) -> Iterator[Problem]:
    defaults = parts.defaults
    is_judged = any(rule.scan for rule in rules.values()) or bool(defaults and defaults.scan)
    for position, rule in rules.items():
        for number, copy in enumerate(rule.replicate):
            yield from copies_arrive(rule, copy, ("rules", position, "replicate", number), is_judged=is_judged)
    if any(rule.replicate for rule in (*rules.values(), defaults) if rule):
        places: list[Path] = [("rules", position, "replicate") for position in rules]
        written = list(zip(places, rules.values(), strict=True))
        yield from copies_have_one_source(written, defaults, list(parts.registries.values()))


def notes(rulebook: Rulebook, today: date) -> Iterator[Problem]:
    """What a person should look at although the rulebook is valid and works."""
    for position, rule in enumerate(resolve(rulebook).rules):
        if rule.image_tags and rule.repository and rule.repository.mutability:
            yield from open_prereleases(rule.image_tags, rule.repository.mutability, ("rules", position))
    for at in open_to_everybody(rulebook):
        yield Problem(
            at,
            "everybody is let in, of every AWS account",
            "accounts, or a condition that names an organization or a network, unless it is meant",
            code=Code.OPEN_TO_EVERYBODY,
        )
    yield from expired_waivers(rulebook.waivers, today)
    yield from long_waivers(rulebook.waivers, today)


def expired_waivers(waivers: Iterable[Waiver], today: date) -> Iterator[Problem]:
    """Waivers that hold no longer. No contradiction: a rulebook does not stop working by the passing of time."""
    for position, waiver in enumerate(waivers):
        if waiver.until < today:
            yield Problem(
                ("waivers", position, "until"),
                f"the waiver of `{waiver.finding}` has expired",
                code=Code.WAIVER_EXPIRED,
            )


def long_waivers(waivers: Iterable[Waiver], today: date) -> Iterator[Problem]:
    """Waivers that last so long that in effect they have no last day."""
    for position, waiver in enumerate(waivers):
        if waiver.until - today > LONGEST_WAIVER:
            yield Problem(
                ("waivers", position, "until"),
                f"the waiver of `{waiver.finding}` lasts for more than two years from today",
                f"a day until {today + LONGEST_WAIVER}, on which you look at its reason again",
                code=Code.WAIVER_LASTS_TOO_LONG,
            )


def _names_are_unique(key: str, kind: str, named: Mapping[int, _Named]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, entry in named.items():
        if entry.name in first:
            yield Problem(
                (key, position, "name"),
                f"there is {kind} `{entry.name}` already: {spell_path((key, first[entry.name]))}",
                code=Code.NAME_TWICE,
            )
        first.setdefault(entry.name, position)


def _settings_fit_ecr(settings: RepositoryRules, protect: Iterable[TagPattern], at: Path) -> Iterator[Problem]:
    if settings.policy is not None:
        yield from policy_fits(settings.policy, (*at, "policy"))
    if settings.lifecycle is not None:
        yield from lifecycle_fits(settings.lifecycle, (*at, "lifecycle"), map(tag_matcher, protect))


def policy_fits(policy: Policy, at: Path) -> Iterator[Problem]:
    """What ECR would refuse in a repository policy, wherever it stands."""
    document = repository_policy(policy, _LONGEST_REGISTRY)
    if is_too_long(document):
        length = len(policy_text(compacted(document, is_own, OWN_SID)))
        if length > POLICY_LIMIT:
            yield Problem(
                at,
                f"the repository policy has {length} characters",
                f"at most {POLICY_LIMIT}, as ECR takes them: an organization or a role's pattern instead of many",
                code=Code.POLICY_TOO_LONG,
            )
    sids = [statement.get("Sid") for statement in document["Statement"]]
    own = len(sids) - len(policy.statements)
    for number, sid in enumerate(sids[own:]):
        if sid is not None and sid in sids[: own + number]:
            yield Problem(
                (*at, "statements", number, "Sid"),
                f"`{sid.removeprefix(OWN_SID)}` is the Sid of another statement of this policy",
                code=Code.SID_TWICE,
            )


def _waivers_differ(waivers: Mapping[int, Waiver]) -> Iterator[Problem]:
    first: dict[tuple[str, frozenset[str]], int] = {}
    for position, waiver in waivers.items():
        earlier = first.setdefault((waiver.finding, frozenset(waiver.repositories)), position)
        if earlier != position:
            yield Problem(
                ("waivers", position),
                f"`{waiver.finding}` is waived for the same repositories already: {spell_path(('waivers', earlier))}",
                "one waiver, with one last day",
                code=Code.WAIVED_TWICE,
            )


def _logins_have_one_source(credentials: Mapping[int, Credential]) -> Iterator[Problem]:
    """A secret's version says for whom and when all its logins were written: two writers would take turns for ever."""
    first: dict[str, int] = {}
    for position, credential in credentials.items():
        at: Path = ("credentials", position)
        yield from _entries_differ(credential.registries, (*at, "registries"))
        yield from _entries_differ([sink.secretsmanager for sink in credential.sinks], (*at, "sinks"))
        for number, sink in enumerate(credential.sinks):
            earlier = first.setdefault(sink.secretsmanager, position)
            if earlier != position:
                yield Problem(
                    (*at, "sinks", number, "secretsmanager"),
                    f"`{credentials[earlier].name}` writes into this secret already: "
                    f"{spell_path(('credentials', earlier))}",
                    "a secret of its own",
                    code=Code.SECRET_OF_ANOTHER,
                )


def _entries_differ(entries: Sequence[object], at: Path) -> Iterator[Problem]:
    for number, entry in enumerate(entries):
        if entry in entries[:number]:
            yield Problem((*at, number), "this stands above already", "each once", code=Code.ENTRY_TWICE)
