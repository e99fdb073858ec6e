"""The rules, as the use cases see them. ``ecr_steward.rulebook`` compiles them from the rulebook file.

Patterns arrive compiled: a ``Matcher`` answers for one text, and says how the rulebook spelled it. So the domain
needs no pattern library, and a pattern that could hang a function cannot get this far.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING

from ecr_steward.domain.brake import USUAL, Brake
from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.merging import SILENT, filled, unsaid
from ecr_steward.domain.names import OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.repositories import RepositorySettings
from ecr_steward.domain.scans import Severity, Verdict
from ecr_steward.domain.tag_rules import TagRules

if TYPE_CHECKING:
    from ecr_steward.domain.registry_rules import RegistryRule


class Owned(StrEnum):
    """What of a repository other code may own."""

    SETTINGS = "settings"
    """All that the key ``repository`` of a rule says, with the images that its lifecycle ends."""
    IMAGE_TAGS = "image_tags"
    SCAN = "scan"
    REPLICATE = "replicate"


class Mode(StrEnum):
    """What a rule may do. ``observe`` plans and reports, ``enforce`` also applies."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True)
class Destination:
    """Where an image is copied to. ``None`` means: as at the source."""

    region: str | None = None
    repository: str | None = None
    """Another name, with ``{name}`` for the source's."""
    account: str | None = None

    def registry(self, source: RegistryRef) -> RegistryRef:
        """The registry that this destination means for a source registry."""
        return RegistryRef(self.account or source.account, self.region or source.region)

    def of(self, source: RepositoryRef) -> RepositoryRef:
        """The repository that this destination means for a source repository. Raises InvalidNameError."""
        return RepositoryRef(self.registry(source.registry), _renamed(self.repository, source))


@dataclass(frozen=True)
class OtherDestination:
    """A registry that is not ECR, where an image is copied to."""

    host: str
    repository: str | None = None
    """Another name, with ``{name}`` for the source's; ``None``: as at the source."""
    login: str | None = None
    """Name of the secret that holds the login."""

    def of(self, source: RepositoryRef) -> OtherRepository:
        """The repository that this destination means for a source repository. Raises InvalidNameError."""
        return OtherRepository(self.host, _renamed(self.repository, source), self.login)


class Condition(StrEnum):
    """What an image has to be before it is copied."""

    SCAN_PASSED = "scan_passed"
    """The verdict on its scans is a pass, derived again when it is copied."""


@dataclass(frozen=True)
class ReplicationRules:
    """One ``replicate`` entry: which images go where, and when."""

    to: tuple[Destination, ...]
    tags: tuple[Matcher, ...] = ()
    """Empty means every tag that the rule's image tag rules do not object to."""
    referrers: bool = True
    """Whether signatures, SBOMs and attestations travel along."""
    when: frozenset[Condition] = frozenset()
    """Empty: at once."""
    remove_after: int | None = None
    """Days after which a tag goes that the source has no longer; ``None``: it stays."""
    withdraws_failed: bool = False
    """Whether an image leaves the destinations in ECR when its verdict is a fail."""
    elsewhere: tuple[OtherDestination, ...] = ()
    """Registries that are not ECR, beside those of ``to``."""

    @property
    def everywhere(self) -> tuple[Destination | OtherDestination, ...]:
        """All destinations, those in ECR first."""
        return (*self.to, *self.elsewhere)


@dataclass(frozen=True)
class ScanRules:
    """Which findings an image may have, and the verdict where something about its scan is not known.

    A scan that is under way always waits.
    """

    fail_on: Severity
    """This severity and all above it fail, unless they are waived."""
    never_scanned: Verdict = Verdict.WAIT
    scan_failed: Verdict = Verdict.FAIL
    """Also where the findings are not available, and for a state that this version does not know."""
    unscannable: Verdict = Verdict.FAIL
    expired: Verdict = Verdict.WAIT
    """Waiting publishes nothing: Inspector lets every image expire that is neither pushed nor used."""
    limit_exceeded: Verdict = Verdict.FAIL
    undefined: Verdict = Verdict.FAIL
    """For a finding without a severity that this version knows."""
    suppressed: Verdict = Verdict.FAIL
    """For a finding that would fail, and that a suppression rule of Inspector hides."""


@dataclass(frozen=True)
class Waiver:
    """A finding that is tolerated for a time, in some repositories."""

    finding: str
    """Such as ``CVE-2026-12345``."""
    repositories: tuple[Matcher, ...]
    until: date
    """The last day on which it holds, in UTC."""
    reason: str
    owner: str | None = None

    def covers(self, repository: RepositoryRef) -> bool:
        """Whether the waiver speaks about this repository, whatever its account and region."""
        return any(pattern.matches(repository.name) for pattern in self.repositories)

    def holds_on(self, day: date) -> bool:
        """Whether the waiver has not expired."""
        return day <= self.until


@dataclass(frozen=True)
class CredentialRegistry:
    """A registry that a credential is for. ``None`` means: that of the steward itself."""

    account: str | None = None
    region: str | None = None

    def registry(self, home: RegistryRef) -> RegistryRef:
        """The registry that is meant where the steward stands in ``home``."""
        return RegistryRef(self.account or home.account, self.region or home.region)


class SecretFormat(StrEnum):
    """What a sink holds."""

    DOCKER_CONFIG = "dockerconfigjson"
    """``{"auths": {"<host>": {"auth": ...}}}``, which Docker, Kubernetes and External Secrets read."""


@dataclass(frozen=True)
class SecretSink:
    """A secret of AWS Secrets Manager, in the steward's own account and region."""

    secret: str
    format: SecretFormat = SecretFormat.DOCKER_CONFIG


@dataclass(frozen=True)
class Credential:
    """A registry login that is kept fresh in other places."""

    name: str
    role: str
    """Name of the IAM role, in the registry's account, that the token is fetched under, and so speaks as."""
    registries: tuple[CredentialRegistry, ...]
    sinks: tuple[SecretSink, ...]


@dataclass(frozen=True)
class Match:
    """Which repositories a rule speaks about."""

    repositories: tuple[Matcher, ...]
    accounts: tuple[Matcher, ...] = ()
    regions: tuple[Matcher, ...] = ()
    exclude: tuple[Matcher, ...] = ()
    resource_tags: Mapping[str, Matcher] = field(default_factory=dict)
    any_repository: Matcher | None = field(default=None, compare=False)
    """All patterns of ``repositories`` as one, which is matched at once; ``None`` where each is matched by itself."""

    def covers(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> bool:
        """Whether the rule speaks about this repository, which carries these resource tags."""
        return self.may_cover(repository) and all(
            key in resource_tags and pattern.matches(resource_tags[key]) for key, pattern in self.resource_tags.items()
        )

    @property
    def spelled(self) -> tuple[tuple[str, ...], ...]:
        """All that it matches, as the rulebook writes it."""
        lists = (self.repositories, self.exclude, self.accounts, self.regions)
        tags = tuple(f"{key}={pattern.spelling}" for key, pattern in sorted(self.resource_tags.items()))
        return (*(tuple(pattern.spelling for pattern in patterns) for patterns in lists), tags)

    @property
    def _of_repositories(self) -> tuple[Matcher, ...]:
        return (self.any_repository,) if self.any_repository else self.repositories

    def may_cover(self, repository: RepositoryRef) -> bool:
        """Whether it does if the repository carries the right resource tags."""
        return (
            _any_or_none(self.accounts, repository.registry.account)
            and _any_or_none(self.regions, repository.registry.region)
            and self.matches_name(repository.name)
        )

    def matches_name(self, name: str) -> bool:
        """Whether the rule may speak about repositories of this name, in whichever registry."""
        return any(pattern.matches(name) for pattern in self._of_repositories) and not any(
            pattern.matches(name) for pattern in self.exclude
        )


@dataclass(frozen=True)
class Rule:
    """One named rule. Every step and violation carries its name. What is ``None`` it leaves unsaid."""

    name: str
    match: Match
    mode: Mode = Mode.OBSERVE
    image_tags: TagRules | None = None
    repository: Callable[[RegistryRef], RepositorySettings] | None = None
    """The wanted settings for the repositories of a registry: a policy names the account it stands in."""
    protecting: "Callable[[tuple[Matcher, ...]], Callable[[RegistryRef], RepositorySettings]] | None" = None
    """The same where nothing may remove these image tags, which this rule or another one protects."""
    scan: ScanRules | None = None
    replicate: tuple[ReplicationRules, ...] | None = None
    is_final: bool = False
    """Whether the rules below have no say in what this one covers."""
    brake: Brake = USUAL


@dataclass(frozen=True)
class Conflict:
    """A setting that one rule wants and that would break what another rule wants."""

    rule: str
    """Which wanted the setting."""
    mode: Mode
    why: str


@dataclass(frozen=True)
class Governing:
    """What the rules say about one repository: each section as the first rule has it that says it.

    A section comes as a rule with the name and mode of the one that said it and with all sections that hold, since one
    may look at another: what passes its scan is copied.
    """

    names: tuple[str, ...] = ()
    """Of all rules that cover the repository, in their order."""
    image_tags: Rule | None = None
    scan: Rule | None = None
    replicate: Rule | None = None
    settings: tuple[Rule, ...] = ()
    """One for each rule that decides some of the settings."""
    conflicts: tuple[Conflict, ...] = ()
    """Settings that are left as they are, since rules contradict each other about this repository."""

    def observing(self, sections: Set[Owned]) -> "Governing":
        """The same, where these sections change nothing."""
        settings, conflicts = self.settings, self.conflicts
        if Owned.SETTINGS in sections:
            settings = tuple(replace(rule, mode=Mode.OBSERVE) for rule in settings)
            conflicts = tuple(replace(conflict, mode=Mode.OBSERVE) for conflict in conflicts)
        return replace(
            self,
            image_tags=_observed(self.image_tags) if Owned.IMAGE_TAGS in sections else self.image_tags,
            scan=_observed(self.scan) if Owned.SCAN in sections else self.scan,
            replicate=_observed(self.replicate) if Owned.REPLICATE in sections else self.replicate,
            settings=settings,
            conflicts=conflicts,
        )


def _observed(rule: Rule | None) -> Rule | None:
    return replace(rule, mode=Mode.OBSERVE) if rule else None


UNGOVERNED = Governing()


@dataclass(frozen=True)
class Rules:
    """A whole rulebook, compiled."""

    rules: tuple[Rule, ...]
    waivers: tuple[Waiver, ...] = ()
    credentials: tuple[Credential, ...] = ()
    defaults: Rule | None = None
    """The last rule of all, for repositories that another one covers."""
    infrastructure_code: Mapping[str, tuple[Matcher, ...]] = field(default_factory=dict)
    """Resource tags by which one knows a repository that other code owns."""
    code_owns: frozenset[Owned] = frozenset({Owned.SETTINGS})
    """What of such a repository is only reported on."""
    registries: "tuple[RegistryRule, ...]" = ()
    digest: str = field(default="", compare=False)
    """Of the compiled text; empty where the rules were made of none."""

    @property
    def with_defaults(self) -> tuple[Rule, ...]:
        """All rules in their order, ``defaults`` last where there are any."""
        return (*self.rules, *([self.defaults] if self.defaults else []))

    def governing(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> Governing:
        """What holds for this repository, which carries these resource tags."""
        covering = self._covering(repository, resource_tags)
        return self._saying(repository.registry, covering, self.is_owned_by_code(resource_tags))

    def governing_replica(
        self, source: RepositoryRef, resource_tags: Mapping[str, str], replica: RepositoryRef
    ) -> Governing:
        """What holds for a replica that no rule covers: its source's settings, as they read in the replica's account.

        ``resource_tags`` are those of the source.
        """
        said = self._saying(replica.registry, self._covering(source, resource_tags), False)
        return Governing(said.names, settings=said.settings)

    def covering(
        self, repository: RepositoryRef, resource_tags: Mapping[str, str]
    ) -> tuple[tuple[str, ...], Sequence[Rule]]:
        """The names of the rules that cover a repository, and these rules with the defaults where those have a say."""
        covering = [self.rules[position] for position in self._covering(repository, resource_tags)]
        return tuple(rule.name for rule in covering), self._with_defaults(covering)

    def needs_resource_tags(self, repository: RepositoryRef) -> bool:
        """Whether what holds for this repository depends on its resource tags."""
        covering = [rule for rule in self.rules if rule.match.may_cover(repository)]
        return any(rule.match.resource_tags for rule in covering) or bool(covering and self.infrastructure_code)

    def may_govern(self, repository: RepositoryRef) -> bool:
        """Whether some rule covers this repository, if it carries the right resource tags."""
        return any(rule.match.may_cover(repository) for rule in self.rules)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what the rules match, and in which order: with another one repositories may have other rules."""
        matched = [(rule.name, rule.is_final, *rule.match.spelled) for rule in self.rules]
        owned = [(key, [each.spelling for each in found]) for key, found in sorted(self.infrastructure_code.items())]
        return sha256(repr((matched, owned)).encode()).hexdigest()

    def observing(self) -> "Rules":
        """The same rules, none of which changes anything."""
        observed = tuple(replace(rule, mode=Mode.OBSERVE) for rule in self.rules)
        defaults = replace(self.defaults, mode=Mode.OBSERVE) if self.defaults else None
        registries = tuple(replace(rule, mode=Mode.OBSERVE) for rule in self.registries)
        return replace(self, rules=observed, defaults=defaults, registries=registries)

    def brake_of(self, rule: str) -> Brake:
        """The brake of the rule of this name; what has no rule here has the usual one."""
        return next((each.brake for each in self.with_defaults if each.name == rule), USUAL)

    def waivers_for(self, repository: RepositoryRef) -> tuple[Waiver, ...]:
        """The waivers that were given for this repository, expired or not."""
        return tuple(waiver for waiver in self.waivers if waiver.covers(repository))

    def is_owned_by_code(self, resource_tags: Mapping[str, str]) -> bool:
        """Whether other code owns what carries these resource tags."""
        return any(
            pattern.matches(resource_tags[key])
            for key, patterns in self.infrastructure_code.items()
            if key in resource_tags
            for pattern in patterns
        )

    def _covering(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> tuple[int, ...]:
        """Where the rules stand that cover a repository."""
        covering: list[int] = []
        for position, rule in enumerate(self.rules):
            if rule.match.covers(repository, resource_tags):
                covering.append(position)
                if rule.is_final:
                    break
        return tuple(covering)

    def _with_defaults(self, covering: Sequence[Rule]) -> Sequence[Rule]:
        """The rules that cover a repository, and the defaults where those have a say."""
        if self.defaults is None or not covering or covering[-1].is_final:
            return covering
        return [*covering, self.defaults]

    @cached_property
    def _saying(self) -> Callable[[RegistryRef, tuple[int, ...], bool], Governing]:
        """What rules say together, worked out once and not for each repository that the same ones cover."""

        @lru_cache(maxsize=1024)
        def saying(registry: RegistryRef, positions: tuple[int, ...], is_owned_by_code: bool) -> Governing:
            covering = [self.rules[position] for position in positions]
            names = tuple(rule.name for rule in covering)
            if not names:
                return UNGOVERNED
            governing = _merged(registry, names, self._with_defaults(covering))
            return governing.observing(self.code_owns) if is_owned_by_code else governing

        return saying


def _merged(registry: RegistryRef, names: tuple[str, ...], covering: Sequence[Rule]) -> Governing:
    image_tags = next((rule for rule in covering if rule.image_tags is not None), None)
    scan = next((rule for rule in covering if rule.scan is not None), None)
    replicate = next((rule for rule in covering if rule.replicate is not None), None)
    whole = Rule(
        name=names[0],
        match=covering[0].match,
        image_tags=image_tags.image_tags if image_tags else None,
        scan=scan.scan if scan else None,
        replicate=replicate.replicate if replicate else None,
    )

    def said_by(rule: Rule | None) -> Rule | None:
        return replace(whole, name=rule.name, match=rule.match, mode=rule.mode) if rule else None

    settings, conflicts = _settings(registry, covering, image_tags)
    return Governing(names, said_by(image_tags), said_by(scan), said_by(replicate), tuple(settings), tuple(conflicts))


def _settings(
    registry: RegistryRef, covering: Sequence[Rule], image_tags: Rule | None
) -> tuple[list[Rule], list[Conflict]]:
    """Each rule with those settings that no rule before it says, and those that would break the rule of image tags."""
    decided: list[Rule] = []
    conflicts: list[Conflict] = []
    tags = image_tags.image_tags if image_tags else None
    said = SILENT
    for rule in covering:
        if rule.repository is None:
            continue
        of = rule.protecting(tags.protect) if tags and tags.protect and rule.protecting else rule.repository
        wanted = of(registry)
        left = unsaid(wanted, said)
        said = filled(said, wanted)
        if left.not_done is not None:
            conflicts += (Conflict(rule.name, rule.mode, f"lifecycle: {why}") for why in left.not_done)
            left = replace(left, not_done=None)
        if image_tags and (why := _breaks(image_tags, left)):
            conflicts.append(Conflict(rule.name, rule.mode, f"mutability is left as it is: {why}"))
            left = replace(left, mutability=None)
        if left != SILENT:
            decided.append(replace(rule, repository=partial(_always, left)))
    return decided, conflicts


def _breaks(image_tags: Rule, wanted: RepositorySettings) -> str | None:
    """Why settings would keep a rule's aliases from moving. Where one rule says both, its validation has seen to it."""
    aliases = image_tags.image_tags.aliases if image_tags.image_tags else None
    if aliases is None or wanted.mutability is None or (stuck := aliases.stuck_by(wanted.mutability)) is None:
        return None
    return f"as {wanted.mutability}, {stuck}; the rule {image_tags.name} wants this alias"


def _always(settings: RepositorySettings, _registry: RegistryRef) -> RepositorySettings:
    return settings


def _renamed(template: str | None, source: RepositoryRef) -> str:
    return (template or "{name}").replace("{name}", source.name)


def _any_or_none(patterns: tuple[Matcher, ...], text: str) -> bool:
    return not patterns or any(pattern.matches(text) for pattern in patterns)
