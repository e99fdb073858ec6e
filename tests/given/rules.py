"""Rules built by hand, for tests that should not depend on how the rulebook spells them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from semver import Version as SemVer

from ecr_steward.domain.copies_behind import RESOURCE_TAG
from ecr_steward.domain.names import ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.policies.rules import PolicyRules
from ecr_steward.domain.repositories import Encryption, Mutability, RepositorySettings, TagMutability
from ecr_steward.domain.rules import (
    Condition,
    Destination,
    Match,
    Mode,
    ReplicationRules,
    Rule,
    Rules,
    ScanRules,
    Waiver,
)
from ecr_steward.domain.scans import Severity
from ecr_steward.domain.tag_rules import AliasRules, OnViolation, TagRules, Version

HOME = RegistryRef("111122223333", "us-east-1")
AWAY = RegistryRef("111122223333", "eu-west-1")
API = RepositoryRef(HOME, "team-a/api")


@dataclass(frozen=True)
class Pattern:
    """A ``Matcher`` by regular expression."""

    spelling: str

    def matches(self, text: str) -> bool:
        return re.fullmatch(self.spelling, text) is not None


def version_of(image_tag: ImageTag) -> Version | None:
    """The SemVer version that an image tag is."""
    try:
        parsed = SemVer.parse(image_tag)
    except ValueError:
        return None
    parts = {"major": str(parsed.major), "minor": str(parsed.minor), "patch": str(parsed.patch)}
    return Version(parts, order=parsed, is_prerelease=parsed.prerelease is not None)


SEMVER = Pattern(r"[0-9]+\.[0-9]+\.[0-9]+(-.+)?")
TAG_RULES = TagRules(
    allow=(SEMVER,),
    deny=(Pattern("latest"),),
    aliases=AliasRules(
        ("{major}.{minor}-latest", "{major}-latest"),
        version_of,
        (Pattern(r"[0-9]+\.[0-9]+-latest"), Pattern("[0-9]+-latest")),
    ),
    on_violation=OnViolation.QUARANTINE,
)
STATEMENT = {"Sid": "EcrStewardPull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
SETTINGS = RepositorySettings(
    policy={"Version": "2012-10-17", "Statement": [STATEMENT]},
    lifecycle={"rules": [{"rulePriority": 1}]},
    mutability=TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"*-latest"})),
    scan_on_push=True,
    encryption=Encryption("AES256"),
    resource_tags={"managed-by": "ecr-steward"},
)
"""Of a repository that is as the rule of these tests wants it."""
SETTINGS_OF_COPIES = replace(SETTINGS, resource_tags={**SETTINGS.resource_tags, RESOURCE_TAG: "1"})
"""Of one that was created for copies of another."""
WANTED = replace(SETTINGS, policy=None, policy_rules=PolicyRules(statements=(STATEMENT,)), encryption=None)


OF_HOME = Match((Pattern("team-.*"),), accounts=(Pattern(HOME.account),))
"""What that rule is about where it copies to another account, whose own images it must not take for a source."""


def service_rule(**changes: object) -> Rule:
    """The rule of the example rulebook: everything under ``team-``, copied from home to away."""
    rule = Rule(
        name="services",
        match=Match((Pattern("team-.*"),)),
        mode=Mode.ENFORCE,
        image_tags=TAG_RULES,
        repository=lambda _: WANTED,
        replicate=(ReplicationRules((Destination(region=AWAY.region),)),),
    )
    return replace(rule, **changes)  # type: ignore[arg-type]


SCAN_RULES = ScanRules(fail_on=Severity.HIGH)
AT_ONCE = ReplicationRules((Destination(region=AWAY.region),))
WHEN_PASSED = replace(AT_ONCE, when=frozenset({Condition.SCAN_PASSED}))
"""The replication of the example rulebook, for images that passed their scan."""


def rulebook(waivers: Iterable[Waiver] = (), **changes: object) -> Rules:
    """A rulebook of that one rule."""
    return Rules((service_rule(**changes),), tuple(waivers))
