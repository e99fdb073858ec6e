"""What no single value of the rulebook can tell: contradictions between values, found before anything is enforced."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from ecr_steward.domain.names import RegistryRef
from ecr_steward.rulebook import words
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.copies import copies_arrive, copies_stay
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.image_tags import ImageTags
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.lifecycle_document import lifecycle_policy
from ecr_steward.rulebook.model import Rule
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.policy_document import repository_policy
from ecr_steward.rulebook.problems import Path, Problem, spell_path
from ecr_steward.rulebook.settings import Mutability, RepositoryRules
from ecr_steward.rulebook.tag_filters import covers, covers_a_release, overlaps, propose_filter
from ecr_steward.rulebook.waivers import Waiver

POLICY_LIMIT: Final = 10_240
"""Characters in a repository policy (``policyText`` in the SetRepositoryPolicy API reference)."""
LIFECYCLE_LIMIT: Final = 30_720
"""Characters in a lifecycle policy (``lifecyclePolicyText`` in the PutLifecyclePolicy API reference)."""
_STARS_PER_LIFECYCLE_PATTERN = 4
_LONGEST_REGISTRY = RegistryRef("000000000000", "us-gov-west-1")


def contradictions(
    rules: Mapping[int, Rule], waivers: Mapping[int, Waiver], credentials: Mapping[int, Credential]
) -> Iterator[Problem]:
    """Check rules, waivers and credentials, each by its position in the rulebook."""
    yield from _names_are_unique("rules", "a rule", rules)
    yield from _every_rule_governs_something(rules)
    for position, rule in rules.items():
        at: Path = ("rules", position)
        if rule.image_tags is not None:
            yield from _image_tags_agree(rule.image_tags, (*at, "image_tags"))
        if rule.repository is not None:
            yield from _settings_fit_ecr(rule.repository, (*at, "repository"))
        if rule.image_tags and rule.image_tags.aliases and rule.repository and rule.repository.mutability:
            yield from _aliases_can_move(rule.image_tags, rule.repository.mutability, at)
        earlier = [other for number, other in rules.items() if number < position]
        for number, copy in enumerate(rule.replicate):
            yield from copies_arrive(rule, copy, earlier, (*at, "replicate", number))
        yield from copies_stay(rule, earlier, (*at, "replicate"))
    yield from _waivers_differ(waivers)
    yield from _names_are_unique("credentials", "a credential", credentials)
    yield from _logins_have_one_source(credentials)


def expired_waivers(waivers: Iterable[Waiver], today: date) -> Iterator[Problem]:
    """Waivers that hold no longer. No contradiction: a rulebook does not stop working by the passing of time."""
    for position, waiver in enumerate(waivers):
        if waiver.until < today:
            yield Problem(
                ("waivers", position, "until"),
                f"the waiver of `{waiver.finding}` has expired",
                code=Code.WAIVER_EXPIRED,
            )


def _names_are_unique(key: str, kind: str, named: Mapping[int, Rule] | Mapping[int, Credential]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, entry in named.items():
        if entry.name in first:
            yield Problem(
                (key, position, "name"),
                f"there is {kind} `{entry.name}` already: {spell_path((key, first[entry.name]))}",
                code=Code.NAME_TWICE,
            )
        first.setdefault(entry.name, position)


def _every_rule_governs_something(rules: Mapping[int, Rule]) -> Iterator[Problem]:
    for position, rule in rules.items():
        earlier = next((other for at, other in rules.items() if at < position and other.match == rule.match), None)
        if earlier is not None:
            yield Problem(
                ("rules", position, "match"),
                f"this never governs a repository: `{earlier.name}` above matches the same, and the first one governs",
                code=Code.RULE_NEVER_GOVERNS,
            )


def _image_tags_agree(image_tags: ImageTags, at: Path) -> Iterator[Problem]:
    denied = [tag_matcher(pattern) for pattern in image_tags.deny]
    for number, matcher in enumerate(denied):
        if image_tags.deny[number] in image_tags.allow:
            yield Problem(
                (*at, "deny", number), f"`{matcher.spelling}` is allowed and denied", code=Code.ALLOWED_AND_DENIED
            )
    for number, template in enumerate(image_tags.aliases.add if image_tags.aliases else ()):
        for matcher in denied:
            alias = next(filter(matcher.matches, words.sample_aliases(template)), None)
            if alias is not None:
                message = f"`{template}` makes `{alias}`, which `deny: {matcher.spelling}` forbids"
                yield Problem((*at, "aliases", "add", number), message, code=Code.ALIAS_DENIED)


def _aliases_can_move(image_tags: ImageTags, mutability: Mutability, at: Path) -> Iterator[Problem]:
    assert image_tags.aliases is not None  # noqa: S101 - the caller asked
    filters = mutability.except_
    for number, template in enumerate(image_tags.aliases.add):
        place = (*at, "image_tags", "aliases", "add", number)
        if mutability.immutable and not any(covers(found, template) for found in filters):
            yield Problem(
                place,
                f"`{template}` cannot move: image tags are immutable here and no exception covers it",
                _proposal(template),
                code=Code.ALIAS_IMMUTABLE,
            )
        if not mutability.immutable and (
            holder := next((found for found in filters if overlaps(found, template)), None)
        ):
            yield Problem(
                place,
                f"`{template}` cannot move: `{holder}` makes it immutable",
                "an exception that leaves aliases alone",
                code=Code.ALIAS_HELD,
            )
    for number, tag_filter in enumerate(filters if mutability.immutable else ()):
        if covers_a_release(tag_filter):
            yield Problem(
                (*at, "repository", "mutability", "except", number),
                f"`{tag_filter}` also covers releases such as 1.4.2, which then could be overwritten",
                "an exception that covers the aliases alone, such as *-latest",
                code=Code.EXCEPTION_COVERS_A_RELEASE,
            )


def _proposal(template: str) -> str:
    proposed = propose_filter(template)
    if proposed is None:
        return 'an alias that looks like no release, such as {major}-latest with except: ["*-latest"]'
    return f'mutability: {{immutable: true, except: ["{proposed}"]}}'


def _settings_fit_ecr(settings: RepositoryRules, at: Path) -> Iterator[Problem]:
    if settings.policy is not None:
        yield from _policy_fits(settings.policy, (*at, "policy"))
    if settings.lifecycle is not None:
        yield from _lifecycle_fits(settings.lifecycle, (*at, "lifecycle"))


def _policy_fits(policy: Policy, at: Path) -> Iterator[Problem]:
    document = repository_policy(policy, _LONGEST_REGISTRY)
    length = len(json.dumps(document, separators=(",", ":")))
    if length > POLICY_LIMIT:
        yield Problem(
            at,
            f"the repository policy has {length} characters",
            f"at most {POLICY_LIMIT}, as ECR takes them",
            code=Code.POLICY_TOO_LONG,
        )
    sids = [statement.get("Sid") for statement in document["Statement"]]
    own = len(sids) - len(policy.statements)
    for number, sid in enumerate(sids[own:]):
        if sid is not None and sid in sids[: own + number]:
            yield Problem(
                (*at, "statements", number, "Sid"),
                f"`{sid}` is the Sid of another statement of this policy",
                code=Code.SID_TWICE,
            )


def _lifecycle_fits(entries: tuple[LifecycleEntry, ...], at: Path) -> Iterator[Problem]:
    document = lifecycle_policy(entries)
    length = len(json.dumps(document, separators=(",", ":")))
    if length > LIFECYCLE_LIMIT:
        yield Problem(
            at,
            f"the lifecycle policy has {length} characters",
            f"at most {LIFECYCLE_LIMIT}, as ECR takes them",
            code=Code.LIFECYCLE_TOO_LONG,
        )
    seen: list[object] = []
    for number, entry in enumerate(entries):
        half = "keep" if entry.keep else "expire"
        chosen = entry.selection
        selects = (chosen.untagged, chosen.tags)
        if selects in seen:
            yield Problem(
                (*at, number, half),
                "an entry above selects the same images, and ECR allows one of them",
                code=Code.LIFECYCLE_SAME_SELECTION,
            )
        seen.append(selects)
        if selects == (None, None) and number < len(entries) - 1:
            yield Problem(
                (*at, number, half),
                "this selects all images, so no entry below it has a say",
                "it at the end",
                code=Code.LIFECYCLE_SELECTS_ALL,
            )
        for position, pattern in enumerate(chosen.tags or ()):
            if pattern.count("*") > _STARS_PER_LIFECYCLE_PATTERN:
                yield Problem(
                    (*at, number, half, "tags", position),
                    f"`{pattern}` has too many wildcards",
                    "at most four `*`",
                    code=Code.LIFECYCLE_WILDCARDS,
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
