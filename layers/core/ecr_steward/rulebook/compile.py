"""From the rulebook to the rules: patterns become matchers, words become the documents that ECR takes."""

from collections.abc import Callable

from ecr_steward.domain import rules
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.repositories import Mutability, RepositorySettings, TagMutability
from ecr_steward.domain.scans import Severity
from ecr_steward.rulebook import model, settings
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.documents import lifecycle_policy, repository_policy
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher, tag_matcher
from ecr_steward.rulebook.versions import read_version
from ecr_steward.rulebook.waivers import Waiver


def compile_rulebook(rulebook: model.Rulebook) -> rules.Rules:
    """Compile a rulebook that validated."""
    return rules.Rules(
        rules=tuple(map(_rule, rulebook.rules)),
        waivers=tuple(map(_waiver, rulebook.waivers)),
        credentials=tuple(map(_credential, rulebook.credentials)),
    )


def _rule(rule: model.Rule) -> rules.Rule:
    return rules.Rule(
        name=rule.name,
        match=rules.Match(
            repositories=tuple(map(repository_matcher, rule.match.repositories)),
            accounts=tuple(map(star_matcher, rule.match.accounts)),
            regions=tuple(map(star_matcher, rule.match.regions)),
        ),
        mode=rules.Mode(rule.mode),
        image_tags=_tag_rules(rule.image_tags) if rule.image_tags else None,
        repository=_settings(rule.repository) if rule.repository else None,
        scan=_scan_rules(rule.scan) if rule.scan else None,
        replicate=tuple(map(_replication, rule.replicate)),
    )


def _tag_rules(image_tags: model.ImageTags) -> rules.TagRules:
    aliases = image_tags.aliases
    return rules.TagRules(
        allow=tuple(map(tag_matcher, image_tags.allow)),
        deny=tuple(map(tag_matcher, image_tags.deny)),
        aliases=rules.AliasRules(aliases.add, read_version) if aliases else None,
        on_violation=rules.OnViolation(image_tags.on_violation),
    )


def _scan_rules(scan: model.Scan) -> rules.ScanRules:
    return rules.ScanRules(Severity[scan.fail_on.severity], rules.Unscannable(scan.unscannable))


def _replication(copy: model.Replicate) -> rules.ReplicationRules:
    return rules.ReplicationRules(
        to=tuple(rules.Destination(to.region, to.repository, to.account) for to in copy.to),
        tags=tuple(map(tag_matcher, copy.images.tags)) if copy.images else (),
        referrers=copy.referrers,
        when=frozenset(map(rules.Condition, copy.when)),
    )


def _waiver(waiver: Waiver) -> rules.Waiver:
    return rules.Waiver(
        finding=waiver.finding,
        repositories=tuple(map(repository_matcher, waiver.repositories)),
        until=waiver.until,
        reason=waiver.reason,
        owner=waiver.owner,
    )


def _credential(credential: Credential) -> rules.Credential:
    return rules.Credential(
        name=credential.name,
        role=credential.role,
        registries=tuple(rules.CredentialRegistry(of.account, of.region) for of in credential.registries),
        sinks=tuple(
            rules.SecretSink(sink.secretsmanager, rules.SecretFormat(sink.format)) for sink in credential.sinks
        ),
    )


def _settings(wanted: settings.RepositoryRules) -> Callable[[RepositoryRef], RepositorySettings]:
    lifecycle = lifecycle_policy(wanted.lifecycle) if wanted.lifecycle else None
    mutability = _mutability(wanted.mutability) if wanted.mutability else None
    scan_on_push = {None: None, "on_push": True, "manual": False}[wanted.scanning]

    def settings_of(repository: RepositoryRef) -> RepositorySettings:
        return RepositorySettings(
            policy=repository_policy(wanted.policy, repository.registry) if wanted.policy else None,
            lifecycle=lifecycle,
            mutability=mutability,
            scan_on_push=scan_on_push,
            resource_tags=wanted.resource_tags,
        )

    return settings_of


def _mutability(wanted: settings.Mutability) -> TagMutability:
    match wanted.immutable, bool(wanted.except_):
        case True, True:
            mode = Mutability.IMMUTABLE_WITH_EXCLUSION
        case True, False:
            mode = Mutability.IMMUTABLE
        case False, True:
            mode = Mutability.MUTABLE_WITH_EXCLUSION
        case _:
            mode = Mutability.MUTABLE
    return TagMutability(mode, frozenset(wanted.except_))
