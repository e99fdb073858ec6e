"""From the keys that copies depend on to what the domain says of them."""

from ecr_steward.domain import rules
from ecr_steward.rulebook import model
from ecr_steward.rulebook.compile_image_tags import tag_rules
from ecr_steward.rulebook.matching import Match
from ecr_steward.rulebook.patterns import any_repository_matcher, repository_matcher, star_matcher, tag_matcher
from ecr_steward.rulebook.replicate import Destination, Replicate


def copying_rule(rule: model.Rule) -> rules.Rule:
    """Compile what of a rule is about copies: what it matches, which image tags may be there, and where they go."""
    return rules.Rule(
        name=rule.name,
        match=compile_match(rule.match),
        mode=rules.Mode(rule.mode),
        image_tags=tag_rules(rule.image_tags) if rule.image_tags else None,
        replicate=tuple(map(replication, rule.replicate)) if "replicate" in rule.model_fields_set else None,
        is_final=rule.final,
    )


def compile_match(match: Match) -> rules.Match:
    """Compile which repositories a rule speaks about."""
    return rules.Match(
        repositories=tuple(map(repository_matcher, match.repositories)),
        accounts=tuple(map(star_matcher, match.accounts)),
        regions=tuple(map(star_matcher, match.regions)),
        exclude=tuple(map(repository_matcher, match.exclude)),
        resource_tags={key: star_matcher(value) for key, value in match.resource_tags.items()},
        any_repository=any_repository_matcher(match.repositories),
    )


def replication(copy: Replicate) -> rules.ReplicationRules:
    """Compile one entry of ``replicate``."""
    to = tuple(map(destination, copy.to))
    return rules.ReplicationRules(
        to=tuple(each for each in to if isinstance(each, rules.Destination)),
        elsewhere=tuple(each for each in to if isinstance(each, rules.OtherDestination)),
        tags=tuple(map(tag_matcher, copy.images.tags)) if copy.images else (),
        referrers=copy.referrers,
        when=frozenset(map(rules.Condition, copy.when)),
        remove_after=copy.remove.after if copy.remove else None,
        withdraws_failed=copy.withdraw == "on_fail",
    )


def destination(to: Destination) -> rules.Destination | rules.OtherDestination:
    """Compile where images are copied to."""
    if to.registry:
        return rules.OtherDestination(to.registry, to.repository, to.login)
    return rules.Destination(to.region, to.repository, to.account)
