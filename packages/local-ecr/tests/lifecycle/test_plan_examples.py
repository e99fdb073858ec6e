"""The worked examples of the ECR user guide, "Examples of lifecycle policies", and of its evaluation rules."""

import itertools
import json

import pytest

from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.lifecycle.plan import DAY, ImageFacts, followers, plan
from local_ecr.lifecycle.policy import read_policy
from local_ecr.names import Digest

NOW = 1_800_000_000.0
_numbers = itertools.count()
EXPIRE = {"type": "expire"}
TRANSITION = {"type": "transition", "targetStorageClass": "archive"}


def image(name, *image_tags, pushed=0.0, storage_class="STANDARD", **facts):
    """An image that was pushed so many days ago; of the same day, the one that is made later is younger."""
    return ImageFacts(next(_numbers), Digest(name), image_tags, ago(pushed), storage_class, **facts)


def ago(days):
    return NOW - days * DAY


def tagged(*patterns):
    return {"tagStatus": "tagged", "tagPatternList": list(patterns)}


def keep(number, **selection):
    return {**selection, "countType": "imageCountMoreThan", "countNumber": number}


def older(count_type, number, **selection):
    return {**selection, "countType": count_type, "countUnit": "days", "countNumber": number}


ANY = {"tagStatus": "any"}
UNTAGGED = {"tagStatus": "untagged"}


def policy(*selections, action=EXPIRE):
    """Rules of these selections (or pairs of selection and action), with priorities 1, 2, …"""
    rules = []
    for priority, one in enumerate(selections, start=1):
        selection, does = one if isinstance(one, tuple) else (one, action)
        rules.append({"rulePriority": priority, "selection": selection, "action": does})
    return read_policy(check_lifecycle_policy(json.dumps({"rules": rules})))


def planned(images, rules):
    """(digest, action, rule) in the order of the plan."""
    return [(step.image.digest, step.action, step.rule_priority) for step in plan(images, rules, NOW)]


def expired(images, rules):
    return {digest for digest, action, _ in planned(images, rules) if action == "EXPIRE"}


TWO_PREFIXES = [
    image("A", "beta-1", "prod-1", pushed=10),
    image("B", "beta-2", "prod-2", pushed=9),
    image("C", "beta-3", pushed=8),
]


def test_images_of_a_pattern_expire_when_they_are_older_than_14_days():
    images = [image("A", "prod", pushed=15), image("B", "production-team1", pushed=13), image("C", "x", pushed=20)]
    assert expired(images, policy(older("sinceImagePushed", 14, **tagged("prod*")))) == {"A"}


def test_only_the_newest_untagged_image_stays_when_one_is_kept():
    images = [image("A", pushed=3), image("B", pushed=2), image("C", pushed=1), image("D", "v1", pushed=9)]
    assert expired(images, policy(keep(1, **UNTAGGED))) == {"A", "B"}


def test_multiple_rules_example_a_an_image_that_the_first_rule_has_seen_is_skipped_by_the_second():
    rules = policy(keep(1, **tagged("prod*")), keep(1, **tagged("beta*")))
    assert planned(TWO_PREFIXES, rules) == [("A", "EXPIRE", 1)]


def test_multiple_rules_example_b_the_other_order_expires_two():
    rules = policy(keep(1, **tagged("beta*")), keep(1, **tagged("prod*")))
    assert planned(TWO_PREFIXES, rules) == [("A", "EXPIRE", 1), ("B", "EXPIRE", 1)]


@pytest.mark.parametrize(
    "selection", [tagged("alpha*", "beta*"), {"tagStatus": "tagged", "tagPrefixList": ["alpha", "beta"]}]
)
def test_multiple_tags_example_a_an_image_must_match_all_patterns(selection):
    images = [
        image("A", "alpha-1", pushed=12),
        image("B", "beta-1", pushed=11),
        image("C", "alpha-2", "beta-2", pushed=10),
        image("D", "alpha-3", pushed=4),
        image("E", "beta-3", pushed=3),
        image("F", "alpha-4", "beta-4", pushed=2),
    ]
    assert expired(images, policy(older("sinceImagePushed", 5, **selection))) == {"C"}


def test_multiple_tags_example_b_tags_are_not_exclusive():
    images = [
        image("A", "alpha-1", "beta-1", "gamma-1", pushed=10),
        image("B", "alpha-2", "beta-2", pushed=9),
        image("C", "alpha-3", "beta-3", "gamma-2", pushed=8),
    ]
    assert expired(images, policy(keep(1, **tagged("alpha*", "beta*")))) == {"A", "B"}


def test_all_images_example_a_all_but_the_newest_expire():
    images = [
        image("A", "alpha-1", pushed=4),
        image("B", "beta-1", pushed=3),
        image("C", pushed=2),
        image("D", "alpha-2", pushed=1),
    ]
    assert expired(images, policy(keep(1, **ANY))) == {"A", "B", "C"}


def test_all_images_example_b_every_kind_of_rule_in_one_policy():
    images = [
        image("A", "alpha-1", "beta-1", pushed=4),
        image("B", pushed=3),
        image("C", "alpha-2", pushed=2),
        image("D", "git hash", pushed=1),
        image("E", pushed=1),
    ]
    rules = policy(keep(1, **tagged("alpha*")), older("sinceImagePushed", 1, **UNTAGGED), keep(1, **ANY))
    assert planned(images, rules) == [("A", "EXPIRE", 1), ("B", "EXPIRE", 2), ("D", "EXPIRE", 3)]


def test_images_not_pulled_in_90_days_are_archived_and_one_never_pulled_counts_from_its_push():
    images = [
        image("A", pushed=200, last_pulled_at=ago(91)),
        image("B", pushed=200, last_pulled_at=ago(89)),
        image("C", pushed=91),
        image("D", pushed=89),
    ]
    rules = policy(older("sinceImagePulled", 90, **ANY), action=TRANSITION)
    assert planned(images, rules) == [("A", "TRANSITION", 1), ("C", "TRANSITION", 1)]


def test_a_restored_image_counts_from_its_restore_until_it_is_pulled_again():
    facts = {"pushed": 400, "archived_at": ago(200), "activated_at": ago(50)}
    never, before, since = (
        image("A", **facts),
        image("B", last_pulled_at=ago(300), **facts),
        image("C", last_pulled_at=ago(10), **facts),
    )
    images = [never, before, since]
    assert planned(images, policy(older("sinceImagePulled", 51, **ANY), action=TRANSITION)) == []
    assert len(planned(images, policy(older("sinceImagePulled", 49, **ANY), action=TRANSITION))) == 2
    assert expired(images, policy(older("sinceImagePushed", 51, **ANY))) == set()
    assert expired(images, policy(older("sinceImagePushed", 49, **ANY))) == {"A", "B", "C"}


def test_archived_images_expire_when_they_were_archived_for_more_than_365_days():
    images = [
        image("A", pushed=500, storage_class="ARCHIVE", archived_at=ago(366)),
        image("B", pushed=900, storage_class="ARCHIVE", archived_at=ago(364)),
        image("C", pushed=900),
    ]
    assert expired(images, policy(older("sinceImageTransitioned", 365, storageClass="archive", **ANY))) == {"A"}


def test_archive_and_expire_rules_are_combined_each_for_its_storage_class():
    images = [
        image("A", pushed=31),
        image("B", pushed=29),
        image("C", pushed=500, storage_class="ARCHIVE", archived_at=ago(366)),
        image("D", pushed=500, storage_class="ARCHIVE", archived_at=ago(300)),
    ]
    rules = policy(
        (older("sinceImagePushed", 30, **ANY), TRANSITION),
        older("sinceImageTransitioned", 365, storageClass="archive", **ANY),
    )
    assert planned(images, rules) == [("C", "EXPIRE", 2), ("A", "TRANSITION", 1)]


def test_a_rule_that_keeps_ever_so_many_shields_its_images_from_the_rules_after_it():
    images = [image("A", "release-1", "dev-1", pushed=50), image("B", "dev-2", pushed=40)]
    rules = policy(keep(9999, **tagged("release-*")), older("sinceImagePushed", 1, **tagged("dev-*")))
    assert expired(images, rules) == {"B"}


def test_an_image_exactly_as_old_as_the_limit_stays():
    images = [image("A", pushed=5)]
    assert expired(images, policy(older("sinceImagePushed", 5, **ANY))) == set()


def test_images_that_an_index_lists_are_neither_ranked_nor_expired():
    """As measured on AWS: github.com/DefangLabs/pulumi-defang/pull/466."""
    children = [image(f"child-{n}", pushed=30, listed_in="STANDARD") for n in range(2)]
    others = [image("index", "latest", pushed=29), *[image(f"{n}", f"v{n}", pushed=n) for n in range(23)]]
    assert expired([*children, *others], policy(keep(20, **ANY))) == {"index", "20", "21", "22"}


def test_an_image_may_be_archived_but_not_deleted_when_only_an_archived_index_lists_it():
    child = image("A", pushed=30, listed_in="ARCHIVE")
    assert planned([child], policy(older("sinceImagePushed", 1, **ANY))) == []
    assert planned([child], policy(older("sinceImagePushed", 1, **ANY), action=TRANSITION)) == [("A", "TRANSITION", 1)]


def test_an_image_that_is_being_restored_is_left_alone():
    image_ = image("A", pushed=900, storage_class="ARCHIVE", archived_at=ago(900), is_activating=True)
    assert planned([image_], policy(older("sinceImageTransitioned", 90, storageClass="archive", **ANY))) == []


def test_referrers_follow_their_subject_and_no_rule_sees_them():
    subject = image("subject", "v1", pushed=30)
    sbom = image("sbom", pushed=30, subject=Digest("subject"))
    signature = image("signature", pushed=30, subject=Digest("sbom"))
    kept = image("kept", pushed=900, subject=Digest("elsewhere"))
    images = [signature, sbom, subject, kept]

    steps = plan(images, policy(older("sinceImagePushed", 1, **ANY)), NOW)

    assert [step.image for step in steps] == [subject]
    gone = [(step.image, step.action, step.rule_priority) for step in followers(images, steps)]
    assert gone == [(sbom, "EXPIRE", None), (signature, "EXPIRE", None)]


def test_a_referrer_goes_when_its_subject_was_deleted_before_and_is_archived_when_that_is():
    orphan = image("orphan", subject=Digest("gone"), is_orphaned=True)
    archived = image("archived", "v1", storage_class="ARCHIVE", archived_at=ago(1))
    sbom = image("sbom", subject=Digest("archived"))
    signature = image("signature", subject=Digest("archived"), storage_class="ARCHIVE")
    listed = image("listed", subject=Digest("gone"), is_orphaned=True, listed_in="STANDARD")
    steps = followers([orphan, archived, sbom, signature, listed], [])
    assert [(step.image.digest, step.action) for step in steps] == [("orphan", "EXPIRE"), ("sbom", "TRANSITION")]


def test_a_referrer_stays_when_its_subject_was_deleted_and_is_there_again():
    images = [image("subject", "v1"), image("sbom", subject=Digest("subject"), is_orphaned=True)]
    assert followers(images, []) == []
