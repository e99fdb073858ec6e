"""Two texts that do the same are no difference, and no two that could differ are called the same."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.lifecycle.document import parse_lifecycle_text, read_lifecycle_policy
from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    TagStatus,
)
from ecr_steward.domain.lifecycle.sameness import same_effect
from ecr_steward.domain.lifecycle.simulation import StoredImage, simulate
from ecr_steward.domain.names import Digest, ImageTag
from tests.given.lifecycles import PATTERNS, policies, repositories


def keep(number: int, *patterns: str, priority: int = 1) -> LifecycleRule:
    status = TagStatus.TAGGED if patterns else TagStatus.ANY
    return LifecycleRule(priority, ImageSelection(status, patterns), CountType.IMAGES, number)


def policy(*rules: LifecycleRule) -> LifecyclePolicy:
    return LifecyclePolicy(tuple(replace(rule, priority=number) for number, rule in enumerate(rules, start=1)))


UNTAGGED = LifecycleRule(1, ImageSelection(TagStatus.UNTAGGED), CountType.PUSHED, 14)
WITH_PREFIX = ImageSelection(TagStatus.TAGGED, prefixes=("v",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(keep(3, "v*")), LifecyclePolicy((replace(keep(3, "v*"), priority=70, description="three"),))),
        (policy(keep(3, "v*")), policy(replace(keep(3), selection=WITH_PREFIX))),
        (policy(keep(3, "a*", "b*")), policy(keep(3, "b*", "a*", "b*"))),
        (policy(keep(3, "v**")), policy(keep(3, "v*"))),
        (policy(keep(3, "v*", "v1*")), policy(keep(3, "v1*"))),
        (policy(keep(3, "v*"), UNTAGGED), policy(UNTAGGED, keep(3, "v*"))),
        (policy(keep(3, "v*"), keep(9, "v1*")), policy(keep(3, "v*"))),
        (policy(keep(3), UNTAGGED), policy(keep(3))),
        (LifecyclePolicy((keep(1, "a", priority=2), keep(2, "b", priority=1))), policy(keep(2, "b"), keep(1, "a"))),
    ],
    ids=[
        "number and description",
        "a prefix",
        "order and duplicates in a list",
        "a star twice",
        "a pattern that follows from another",
        "rules that see no image in common",
        "a rule that sees only what one above sees",
        "a rule below one for any image",
        "the order of the text",
    ],
)
def test_two_policies_are_the_same_when_they_differ_only_in(one: LifecyclePolicy, other: LifecyclePolicy) -> None:
    assert same_effect(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(keep(3, "v*")), policy(keep(4, "v*"))),
        (policy(keep(3, "v*")), policy(keep(3, "v-*"))),
        (policy(keep(3, "v*")), policy(replace(keep(3, "v*"), action=Action.ARCHIVE))),
        (policy(keep(3, "v*"), keep(1, "*1")), policy(keep(1, "*1"), keep(3, "v*"))),
        (policy(keep(3, "v*")), policy(keep(3, "v*"), UNTAGGED)),
        (policy(keep(3, "*")), policy(keep(3))),
        (policy(keep(3, "a*", "b*")), policy(keep(3, "a*"), keep(3, "b*"))),
        (policy(keep(3, "v*")), policy(replace(keep(3), selection=replace(WITH_PREFIX, prefixes=("v*",))))),
        (policy(keep(3, "v*")), LifecyclePolicy()),
    ],
    ids=[
        "the number",
        "the pattern",
        "the action",
        "the order of rules that see an image in common",
        "a rule more",
        "every tag, and any image",
        "both patterns, and either",
        "a star in a prefix",
        "a policy at all",
    ],
)
def test_two_policies_are_not_the_same_when_they_differ_in(one: LifecyclePolicy, other: LifecyclePolicy) -> None:
    assert not same_effect(one, other)
    assert not same_effect(other, one)


def test_defaults_that_are_spelled_out_are_no_difference() -> None:
    terse = parse_lifecycle_text(
        '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},'
        '"action":{"type":"expire"}}]}'
    )
    spelled = read_lifecycle_policy(
        {
            "rules": [
                {
                    "rulePriority": 10,
                    "description": "keep one",
                    "selection": {
                        "tagStatus": "any",
                        "tagPrefixList": [],
                        "storageClass": "standard",
                        "countType": "imageCountMoreThan",
                        "countUnit": None,
                        "countNumber": 1,
                    },
                    "action": {"type": "expire", "targetStorageClass": None},
                }
            ]
        }
    )

    assert same_effect(terse, spelled)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[LifecyclePolicy, LifecyclePolicy]:
    """A policy, and what came of it when somebody edited it."""
    one = draw(policies())
    rules = list(one.in_order)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(rules) - 1))
        rule = rules[at]
        match draw(st.sampled_from(["move", "drop", "prefix", "pattern", "action", "double"])):
            case "move":
                rules.insert(draw(st.integers(0, len(rules) - 1)), rules.pop(at))
            case "drop" if len(rules) > 1:
                del rules[at]
            case "prefix" if rule.selection.prefixes:
                patterns = tuple(f"{prefix}*" for prefix in rule.selection.prefixes)
                rules[at] = replace(rule, selection=replace(rule.selection, prefixes=(), patterns=patterns))
            case "pattern" if rule.selection.patterns:
                patterns = (*rule.selection.patterns, draw(st.sampled_from(PATTERNS)))
                rules[at] = replace(rule, selection=replace(rule.selection, patterns=patterns))
            case "double":
                rules.append(rule)
    return one, policy(*rules)


@given(pairs(), st.lists(repositories(), min_size=1, max_size=3))
@example(
    (policy(keep(1, "v*"), keep(1)), policy(keep(1), keep(1, "v*"))),
    [(StoredImage(Digest(f"sha256:{'a' * 64}"), NOON),)],
)
def test_policies_that_are_called_the_same_claim_the_same_images_of_every_repository(
    pair: tuple[LifecyclePolicy, LifecyclePolicy], worlds: list[tuple[StoredImage, ...]]
) -> None:
    one, other = pair
    if not same_effect(one, other):
        return
    for images in worlds:
        claims = [{(claim.image.digest, claim.action) for claim in simulate(each, images, NOON)} for each in pair]
        assert claims[0] == claims[1]


def images_of(random: Random) -> tuple[StoredImage, ...]:
    """A few images of the last days, with some of a few image tags."""
    return tuple(
        StoredImage(
            Digest(f"sha256:{number:064x}"),
            NOON - timedelta(hours=random.randrange(1, 72), minutes=number),
            frozenset(
                ImageTag(tag) for tag in random.choice((("a1",), ("a2", "b1"), ("b1",), ("c", "a1"), ("c",), ()))
            ),
        )
        for number in range(6)
    )


TAG_LISTS = (("a*",), ("a1",), ("b*", "a*"), ("*",), ("*", "c"))
RULES = [
    LifecycleRule(0, ImageSelection(TagStatus.ANY), CountType.PUSHED, 1),
    *(
        LifecycleRule(0, selection, CountType.IMAGES, 1)
        for selection in (
            ImageSelection(TagStatus.ANY),
            ImageSelection(TagStatus.UNTAGGED),
            *(ImageSelection(TagStatus.TAGGED, patterns) for patterns in TAG_LISTS),
            ImageSelection(TagStatus.TAGGED, prefixes=("a",)),
        )
    ),
]


def test_of_all_policies_of_two_rules_those_that_are_called_the_same_claim_the_same() -> None:
    worlds = [images_of(Random(seed)) for seed in range(60)]  # noqa: S311 - no secret
    claims = {
        each: tuple(frozenset(claim.image.digest for claim in simulate(each, images, NOON)) for images in worlds)
        for each in (policy(*rules) for number in (1, 2) for rules in product(RULES, repeat=number))
    }

    same = [(one, other) for one, other in combinations(claims, 2) if same_effect(one, other)]

    assert [pair for pair in same if claims[pair[0]] != claims[pair[1]]] == []
    alike = sum(one == other for one, other in combinations(claims.values(), 2))
    assert len(same) > 0.5 * alike, "too careful: half of those that claim the same are known to"


def test_a_policy_of_thousands_of_patterns_is_compared_at_once() -> None:
    patterns = tuple(f"{number}*" for number in range(5000))
    many = policy(*(keep(number + 1, *patterns[number:]) for number in range(20)))

    assert same_effect(many, policy(*many.rules))
    assert not same_effect(many, policy(*many.rules[1:]))


@given(policies())
def test_every_policy_does_what_it_does(one: LifecyclePolicy) -> None:
    assert same_effect(one, one)
    assert same_effect(one, LifecyclePolicy(one.rules[::-1]))
