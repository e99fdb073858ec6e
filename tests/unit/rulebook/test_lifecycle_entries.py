"""``repository.lifecycle``: what may be written, who carries it out, and that ECR never takes what a keep protects."""

from collections.abc import Callable, Set
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.lifecycle.document import lifecycle_text
from ecr_steward.domain.lifecycle.policy import StorageClass, refusals
from ecr_steward.domain.lifecycle.simulation import StoredImage, simulate
from ecr_steward.domain.names import Digest, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.retention_rules import ProtectingKeep, Use
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.compile_lifecycle import Lifecycle, compile_lifecycle
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.lifecycle_checks import lifecycle_fits
from ecr_steward.rulebook.validate import validate

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
ENTRIES = TypeAdapter(tuple[LifecycleEntry, ...])
type Entries = list[dict[str, Any]]


def compiled(*entries: dict[str, Any]) -> Lifecycle:
    return compile_lifecycle(ENTRIES.validate_python(entries))


def native(*entries: dict[str, Any]) -> list[str]:
    """What ECR is told, in words, in its order."""
    return [str(rule) for rule in compiled(*entries).native.in_order]


def swept(*entries: dict[str, Any]) -> list[str]:
    """What the sweep does, in words."""
    return [rule.spelling for rule in compiled(*entries).retention.expires]


# ------------------------------------------------------------------ what may be written


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"keep": {"newest": 1}, "expire": {"after": "1d"}}, ": an entry is one of `keep`, `expire` and `archive`"),
        ({"expire": {"untagged": True}}, ".expire: this does not say when; expected `after`, `not_pulled_for` or "),
        ({"archive": {"tags": ["v*"]}}, ".archive: this does not say when; expected `after`, `not_pulled_for` or "),
        ({"keep": {}}, ".keep: this does not say what stays; expected `newest`, `tags`, `pulled_within` or `in_use`"),
        ({"keep": {"newest": 3, "in_use": ["ecs"]}}, ".keep: `newest` and `in_use` are two reasons to keep an image"),
        (
            {"expire": {"after": "9d", "not_pulled_for": "9d"}},
            ".expire: `after` and `not_pulled_for` cannot both count",
        ),
        ({"archive": {"after": "9d", "all_but_newest": 9}}, ".archive: `after` and `all_but_newest` cannot both count"),
        (
            {"expire": {"after": "9d", "untagged": True, "tags": ["v*"]}},
            ".expire: `tags` and `untagged` both say which",
        ),
        ({"expire": {"archived_for": "89d"}}, ".expire.archived_for: `89d` in the archive is less than ECR takes; exp"),
        ({"keep": {"in_use": ["eks"]}}, ".keep.in_use[0]: `eks` is not known here; did you mean `ecs`?"),
        ({"keep": {"pulled_within": 30}}, ".keep.pulled_within: `30` is not a duration: write days or weeks"),
        ({"expire": {"archived_for": "90d", "pulled_within": "3d"}}, ".expire.pulled_within: unknown key"),
        (
            {"archive": {"after": "3d", "tags": [{"regex": "a.*"}]}},
            ".archive: ECR itself does this, and cannot say `a.*`",
        ),
        (
            {"archive": {"after": "3d", "tags": ["*.*.*.*.*"]}},
            ".archive: ECR itself does this, and cannot say `*.*.*.*.*`",
        ),
        ({"archive": {"all_but_newest": 3, "tags": ["a*", "b*"]}}, ".archive: ECR itself does this, and cannot count"),
    ],
)
def test_a_wrong_mix_is_refused_with_what_would_be_right(
    with_rule: Callable[..., Any], problems_of: Callable[[Any], list[str]], entry: dict[str, Any], told: str
) -> None:
    (problem,) = problems_of(with_rule(repository={"lifecycle": [entry]}))

    assert problem.startswith(f"rules[0].repository.lifecycle[0]{told}")
    assert "expected" in problem or "write" in problem


def problems(*entries: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in lifecycle_fits(ENTRIES.validate_python(entries), ("lifecycle",))]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (
            [{"keep": {"newest": 9}}, {"expire": {"untagged": True, "after": "1d"}}],
            "lifecycle[0].keep: this selects all images, so no entry below it has a say; expected it at the end",
        ),
        (
            [{"keep": {"newest": 9, "untagged": True}}, {"archive": {"untagged": True, "after": "1d"}}],
            "lifecycle[1].archive: an entry above selects the same images, so this one has no say; "
            "expected one entry for them",
        ),
        (
            [{"expire": {"tags": ["a*", "b*"], "after": "9d"}}, {"keep": {"tags": ["b*"], "newest": 3}}],
            "lifecycle[1].keep: an entry above selects the same images, so this one has no say; "
            "expected one entry for them",
        ),
        (
            [{"archive": {"not_pulled_for": "90d"}}, {"keep": {"in_use": ["ecs"]}}],
            "lifecycle[0].archive: ECR itself does this, and would also do it to what `keep all images in use by ecs` "
            "protects; expected images that no keep can protect, such as `untagged: true` beside a keep of image tags",
        ),
        (
            [{"expire": {"archived_for": "90d"}}, {"keep": {"tags": ["v*"]}}],
            "lifecycle[0].expire: ECR itself does this, and would also do it to what `keep v*` protects; expected "
            "images that no keep can protect, such as `untagged: true` beside a keep of image tags",
        ),
        (
            [{"expire": {"tags": ["a*"], "not_pulled_for": "9d"}}, {"archive": {"after": "90d"}}],
            "lifecycle[1].archive: ECR itself does this, and would not leave alone what an entry above selects that "
            "ECR cannot carry out; expected it above that entry",
        ),
    ],
)
def test_entries_are_refused_when_one_has_no_say_or_nobody_can_carry_it_out(entries: Entries, told: str) -> None:
    assert problems(*entries) == [told]


def test_an_archive_is_refused_when_the_same_rule_protects_image_tags(
    with_rule: Callable[..., Any], problems_of: Callable[[Any], list[str]]
) -> None:
    lifecycle = {"lifecycle": [{"archive": {"after": "90d"}}]}

    (problem,) = problems_of(with_rule(image_tags={"protect": ["v*"]}, repository=lifecycle))

    assert "would also do it to what `protect v*` protects" in problem


@pytest.mark.parametrize(
    "entries",
    [
        [{"keep": {"tags": ["v*"]}}, {"keep": {"newest": 9}}, {"expire": {"archived_for": "90d", "untagged": True}}],
        [{"archive": {"after": "30d"}}, {"expire": {"archived_for": "26w"}}],
        [{"expire": {"tags": ["a*"], "after": "9d"}}, {"expire": {"tags": ["b*"], "after": "9d"}}],
        [{"expire": {"tags": ["a*"], "after": "9d"}}, {"expire": {"tags": ["a*", "b*"], "after": "30d"}}],
        [{"archive": {"untagged": True, "after": "9d"}}, {"keep": {"tags": ["v*"]}}],
    ],
)
def test_entries_are_taken_when_each_has_a_say(entries: Entries) -> None:
    assert problems(*entries) == []
    assert refusals(compiled(*entries).native) == ()


def test_a_policy_is_refused_when_its_patterns_become_more_rules_than_ecr_takes() -> None:
    (problem,) = problems({"expire": {"after": "1d", "tags": [f"a{number}*" for number in range(51)]}})

    assert (
        problem
        == "lifecycle: the lifecycle policy has 51 rules, one for each pattern; expected at most 50, as ECR takes them"
    )


def test_a_policy_is_refused_when_it_is_longer_than_ecr_takes() -> None:
    told = problems(
        *({"expire": {"after": "1d", "all_tags": [f"{n}{'x' * 120}{m}*" for m in range(3)]}} for n in range(45))
    )

    assert len(told) == 1
    assert "at most 30720" in told[0]


# ------------------------------------------------------------------ who carries it out


def test_ecr_does_what_its_grammar_can_say() -> None:
    entries: Entries = [
        {"keep": {"newest": 30, "tags": ["*.*.*"]}},
        {"expire": {"after": "14d", "tags": ["pr-*", "tmp-*"]}},
        {"expire": {"after": "2w", "untagged": True}},
        {"archive": {"not_pulled_for": "90d", "all_tags": ["prod-*", "team-a-*"]}},
        {"archive": {"all_but_newest": 100}},
        {"expire": {"archived_for": "180d"}},
    ]

    assert native(*entries) == [
        "expire *.*.* but the newest 30",
        "expire pr-* 14 days after their push",
        "expire tmp-* 14 days after their push",
        "expire untagged images 14 days after their push",
        "archive prod-* and team-a-* not pulled for 90 days",
        "archive all images but the newest 100",
        "expire archived all images 180 days after they were archived",
    ]
    assert swept(*entries) == []
    assert refusals(compiled(*entries).native) == ()


@pytest.mark.parametrize(
    ("entry", "spelling"),
    [
        ({"expire": {"not_pulled_for": "90d"}}, "expire all images not pulled for 90 days"),
        ({"expire": {"after": "1d", "tags": ["semver"]}}, "expire semver 1 day after their push"),
        ({"expire": {"after": "9d", "tags": [{"regex": "pr-[0-9]+"}]}}, "expire pr-[0-9]+ 9 days after their push"),
        ({"expire": {"after": "9d", "tags": ["*.*.*.*.*"]}}, "expire *.*.*.*.* 9 days after their push"),
        ({"keep": {"newest": 9, "tags": ["a*", "b*"]}}, "keep the newest 9 of a* or b*"),
        ({"keep": {"newest": 9, "all_tags": ["semver", "b*"]}}, "keep the newest 9 of semver and b*"),
    ],
)
def test_the_sweep_does_what_ecrs_grammar_cannot_say(entry: dict[str, Any], spelling: str) -> None:
    assert swept(entry) == [spelling]
    assert native(entry) == []


def test_a_keep_of_image_tags_leaves_ecr_the_untagged_images_alone() -> None:
    entries: Entries = [
        {"expire": {"after": "14d", "untagged": True}},
        {"expire": {"after": "30d", "tags": ["pr-*"]}},
        {"keep": {"tags": ["v*", "semver"]}},
    ]

    # An image can hold pr-1 and v1.
    assert native(*entries) == ["expire untagged images 14 days after their push"]
    assert swept(*entries) == ["expire pr-* 30 days after their push"]


@pytest.mark.parametrize("keep", [{"in_use": ["inspector"]}, {"pulled_within": "30d"}])
def test_a_keep_without_image_tags_leaves_ecr_nothing(keep: dict[str, Any]) -> None:
    entries: Entries = [{"keep": keep}, {"expire": {"after": "14d", "untagged": True}}, {"keep": {"newest": 9}}]

    assert native(*entries) == []
    assert swept(*entries) == ["expire untagged images 14 days after their push", "keep the newest 9 of all images"]


def test_the_order_of_the_entries_holds_between_ecr_and_the_sweep() -> None:
    entries: Entries = [
        {"keep": {"newest": 3, "tags": ["v*"]}},
        {"expire": {"not_pulled_for": "90d", "tags": ["pr-*"]}},
        {"expire": {"after": "14d", "untagged": True}},
        {"expire": {"after": "400d"}},
    ]

    pulled, old = compiled(*entries).retention.expires

    assert native(*entries) == ["expire v* but the newest 3", "expire untagged images 14 days after their push"]
    assert pulled.decides_about({"pr-1"}) and not pulled.decides_about({"pr-1", "v1"})  # type: ignore[arg-type]
    assert old.decides_about({"main"}) and not old.decides_about(set())  # type: ignore[arg-type]
    assert not old.decides_about({"pr-1"})  # type: ignore[arg-type]


def test_keeps_come_with_all_that_they_say() -> None:
    retention = compiled(
        {"keep": {"in_use": ["lambda", "ecs"], "tags": ["prod-*"]}},
        {"keep": {"pulled_within": "2w", "untagged": True}},
        {"expire": {"not_pulled_for": "90d"}},
    ).retention

    in_use, pulled = retention.keeps
    assert in_use.spelling == "keep prod-* in use by ecs or lambda"
    assert in_use.in_use == retention.asks_about_use == {Use.ECS, Use.LAMBDA}
    assert (pulled.spelling, pulled.pulled_within) == ("keep untagged images pulled within 14 days", 14)


def test_keeps_alone_leave_nothing_to_do_and_are_still_known() -> None:
    lifecycle = compiled({"keep": {"tags": ["v*"]}})

    assert (lifecycle.native.rules, lifecycle.retention.expires) == ((), ())
    assert [keep.spelling for keep in lifecycle.retention.keeps] == ["keep v*"]


def test_the_sweep_does_nothing_by_a_lifecycle_that_a_rule_above_has_decided(with_rule: Callable[..., Any]) -> None:
    data = with_rule(match={"repositories": ["**/api"]}, repository={"lifecycle": [{"keep": {"newest": 9}}]})
    data["rules"].append(
        {
            "name": "below",
            "match": {"repositories": ["team-*/*"]},
            "repository": {"lifecycle": [{"expire": {"not_pulled_for": "1d"}}], "scanning": "on_push"},
        }
    )
    rulebook, _ = validate(data)
    assert rulebook is not None

    settings = [
        rule.repository(API.registry)
        for rule in compile_rulebook(rulebook).governing(API, {}).settings
        if rule.repository
    ]

    assert [each.retention.expires for each in settings if each.retention] == [()]


def test_settings_say_both_halves_and_that_ecr_is_to_have_no_policy(with_rule: Callable[..., Any]) -> None:
    rulebook, found = validate(with_rule(repository={"lifecycle": [{"expire": {"not_pulled_for": "90d"}}]}))
    assert found == ()
    assert rulebook is not None
    rule = compile_rulebook(rulebook).rules[0]
    assert rule.repository is not None

    settings = rule.repository(API.registry)

    assert settings.lifecycle == {"rules": []}
    assert settings.retention is not None


# ------------------------------------------------------------------ for all entries and images

SELECTIONS: Entries = [
    {},
    {"untagged": True},
    {"tags": ["dev*"]},
    {"tags": ["prod*", "v*"]},
    {"all_tags": ["prod*", "*1"]},
    {"tags": ["semver"]},
]
KEEPS: Entries = [{}, {"newest": 1}, {"pulled_within": "30d"}, {"in_use": ["ecs"]}]
EXPIRES: Entries = [{"after": "1d"}, {"not_pulled_for": "1d"}, {"archived_for": "90d"}]
ARCHIVES: Entries = [{"after": "1d"}, {"not_pulled_for": "30d"}, {"all_but_newest": 1}]
EVERY_ENTRY = [
    {key: half | selection}
    for key, halves in (("keep", KEEPS), ("expire", EXPIRES), ("archive", ARCHIVES))
    for half, selection in product(halves, SELECTIONS)
    if half or selection
]


def images_of(random: Random) -> tuple[StoredImage, ...]:
    """A dozen images, some archived, some pulled of late, with few image tags on one or two of them."""
    tags = ((), ("dev-1",), ("dev-2", "prod-1"), ("v1",), ("v1.2.3",), ("1.2.3", "dev-1"), ("prod-1", "dev-1"), ("x",))
    return tuple(
        StoredImage(
            Digest(f"sha256:{number:064x}"),
            NOON - timedelta(days=random.randrange(300), minutes=number),
            frozenset(map(ImageTag, random.choice(tags))),
            last_pulled_at=random.choice((None, NOON - timedelta(days=random.randrange(60)))),
            storage_class=StorageClass.ARCHIVE if is_archived else StorageClass.STANDARD,
            archived_at=NOON - timedelta(days=random.randrange(200)) if is_archived else None,
        )
        for number in range(12)
        for is_archived in [random.random() < 0.3]
    )


def protects(keep: ProtectingKeep, image: StoredImage, in_use: Set[Digest]) -> bool:
    pulled = image.last_pulled_at
    return (
        keep.selection.selects(image.image_tags)
        and (keep.pulled_within is None or (pulled is not None and NOON - pulled <= timedelta(days=keep.pulled_within)))
        and (not keep.in_use or image.digest in in_use)
    )


WORLDS = [
    (images_of(random), frozenset(Digest(f"sha256:{n:064x}") for n in range(0, 12, 2)))
    for random in map(Random, range(8))
]
EVERY_PAIR = [ENTRIES.validate_python(pair) for pair in product(EVERY_ENTRY, repeat=2)]


def test_ecr_is_never_told_what_could_take_an_image_that_a_keep_protects() -> None:
    taken = 0
    for pair in EVERY_PAIR:
        lifecycle = compile_lifecycle(pair)
        if not lifecycle.retention.keeps:
            continue
        for images, in_use in WORLDS:
            claimed = [claim.image for claim in simulate(lifecycle.native, images, NOON)]
            taken += len(claimed)
            assert not any(protects(keep, image, in_use) for keep in lifecycle.retention.keeps for image in claimed), (
                pair
            )
    assert taken > 0


def test_ecr_is_never_told_what_could_take_an_image_that_an_entry_above_leaves_to_the_sweep() -> None:
    taken = 0
    for pair in EVERY_PAIR:
        lifecycle = compile_lifecycle(pair)
        if not lifecycle.retention.expires:
            continue
        for images, _ in WORLDS:
            claimed = [one.image for one in simulate(lifecycle.native, images, NOON) if not one.image.is_archived]
            taken += len(claimed)
            # It decides about no image that an entry above it selects, so these are images that are the sweep's.
            assert not any(
                rule.decides_about(image.image_tags) for rule in lifecycle.retention.expires for image in claimed
            ), pair
    assert taken > 0


rulebooks = st.lists(st.sampled_from(EVERY_ENTRY), min_size=1, max_size=5)


@given(rulebooks)
def test_what_passes_the_checks_is_what_ecr_takes(entries: Entries) -> None:
    if problems(*entries):
        return
    policy = compiled(*entries).native
    if policy.rules:
        assert refusals(policy) == ()
        assert len(lifecycle_text(policy)) >= 100
