"""From the rulebook to the rules: patterns become matchers, words become the documents that ECR takes."""

from collections.abc import Callable

from ecr_steward.domain import rules
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.repositories import Mutability, RepositorySettings, TagMutability
from ecr_steward.rulebook import model
from ecr_steward.rulebook.documents import lifecycle_policy, repository_policy
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher, tag_matcher
from ecr_steward.rulebook.versions import read_version


def compile_rulebook(rulebook: model.Rulebook) -> rules.Rules:
    """Compile a rulebook that validated."""
    return rules.Rules(tuple(_rule(rule) for rule in rulebook.rules))


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


def _replication(copy: model.Replicate) -> rules.ReplicationRules:
    return rules.ReplicationRules(
        to=tuple(rules.Destination(to.region, to.repository) for to in copy.to),
        tags=tuple(map(tag_matcher, copy.images.tags)) if copy.images else (),
        referrers=copy.referrers,
    )


def _settings(wanted: model.RepositoryRules) -> Callable[[RepositoryRef], RepositorySettings]:
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


def _mutability(wanted: model.Mutability) -> TagMutability:
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
