"""What rules claim, case by case, each from the page of the ECR user guide that it names.

``examples`` is "Examples of lifecycle policies in Amazon ECR" (lifecycle_policy_examples), ``evaluation`` the section
"Lifecycle policy evaluation rules" of "Automate the cleanup of images" (LifecyclePolicies), ``parameters`` "Lifecycle
policy properties in Amazon ECR" (lifecycle_policy_parameters), ``archive`` "Archiving an image" (archive-image). Where
a page gives the images of an example only in words, the images here are those of the words.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.lifecycle.policy import Action, StorageClass, refusals
from ecr_steward.domain.lifecycle.simulation import StoredImage, following, simulate
from ecr_steward.domain.names import Digest, image_tag

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EXPIRE, ARCHIVE = {"type": "expire"}, {"type": "transition", "targetStorageClass": "archive"}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def digest(name: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")


def image(name: str, *tags: str, pushed: float, **facts: Any) -> StoredImage:
    """An image that was pushed so many days ago."""
    return StoredImage(digest(name), ago(pushed), frozenset(map(image_tag, tags)), **facts)


def archived(name: str, *tags: str, since: float, **facts: Any) -> StoredImage:
    """An image that is in the archive since so many days."""
    return image(name, *tags, pushed=900, storage_class=StorageClass.ARCHIVE, archived_at=ago(since), **facts)


def rule(priority: int, action: dict[str, str] = EXPIRE, **selection: Any) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": selection, "action": action}


def count(number: int) -> dict[str, Any]:
    return {"countType": "imageCountMoreThan", "countNumber": number}


def days(count_type: str, number: int) -> dict[str, Any]:
    return {"countType": count_type, "countUnit": "days", "countNumber": number}


def tagged(*patterns: str) -> dict[str, Any]:
    return {"tagStatus": "tagged", "tagPatternList": list(patterns)}


def prefixed(*prefixes: str) -> dict[str, Any]:
    return {"tagStatus": "tagged", "tagPrefixList": list(prefixes)}


ANY: dict[str, Any] = {"tagStatus": "any"}
UNTAGGED: dict[str, Any] = {"tagStatus": "untagged"}


@dataclass(frozen=True)
class Case:
    """Rules, images, and which image is claimed by the rule of which priority."""

    page: str
    says: str
    rules: list[dict[str, Any]]
    images: list[StoredImage]
    claims: dict[str, int]
    action: Action = Action.EXPIRE


TWO_PREFIXES = [
    image("A", "beta-1", "prod-1", pushed=10),
    image("B", "beta-2", "prod-2", pushed=9),
    image("C", "beta-3", pushed=8),
]
ALPHA_BETA = [
    image("A", "alpha-1", pushed=12),
    image("B", "beta-1", pushed=11),
    image("C", "alpha-2", "beta-2", pushed=10),
    image("D", "alpha-3", pushed=4),
    image("E", "beta-3", pushed=3),
    image("F", "alpha-4", "beta-4", pushed=2),
]
CASES = [
    Case(
        "examples: filtering on image age",
        "images with a tag that begins with prod expire when they are older than 14 days",
        [rule(1, **tagged("prod*"), **days("sinceImagePushed", 14))],
        [image("A", "prod", pushed=15), image("B", "production-team1", pushed=13), image("C", "x", pushed=99)],
        {"A": 1},
    ),
    Case(
        "examples: filtering on pull time",
        "images that were not pulled for 90 days are archived",
        [rule(1, ARCHIVE, **ANY, **days("sinceImagePulled", 90))],
        [image("A", pushed=200, last_pulled_at=ago(91)), image("B", pushed=200, last_pulled_at=ago(89))],
        {"A": 1},
        Action.ARCHIVE,
    ),
    Case(
        "examples: filtering on transition time",
        "archived images expire when they were archived more than 365 days ago",
        [rule(1, **ANY, storageClass="archive", **days("sinceImageTransitioned", 365))],
        [archived("A", since=366), archived("B", since=364), image("C", pushed=900)],
        {"A": 1},
    ),
    Case(
        "examples: filtering on image count",
        "one untagged image is kept, and all others expire",
        [rule(1, **UNTAGGED, **count(1))],
        [image("A", pushed=3), image("B", pushed=2), image("C", pushed=1), image("D", "v1", pushed=9)],
        {"A": 1, "B": 1},
    ),
    Case(
        "examples: filtering on multiple rules, example A",
        "an image that rule 1 has identified is skipped by rule 2, though rule 1 keeps it",
        [rule(1, **tagged("prod*"), **count(1)), rule(2, **tagged("beta*"), **count(1))],
        TWO_PREFIXES,
        {"A": 1},
    ),
    Case(
        "examples: filtering on multiple rules, example B",
        "with the priorities exchanged two images expire",
        [rule(1, **tagged("beta*"), **count(1)), rule(2, **tagged("prod*"), **count(1))],
        TWO_PREFIXES,
        {"A": 1, "B": 1},
    ),
    Case(
        "examples: filtering on multiple rules, the rule with the lower number written last",
        "the priority decides, and not the place in the text",
        [rule(2, **tagged("beta*"), **count(1)), rule(1, **tagged("prod*"), **count(1))],
        TWO_PREFIXES,
        {"A": 1},
    ),
    Case(
        "examples: filtering on multiple tags in a single rule, example A, with a pattern list",
        "only an image that has a tag for each pattern is selected",
        [rule(1, **tagged("alpha*", "beta*"), **days("sinceImagePushed", 5))],
        ALPHA_BETA,
        {"C": 1},
    ),
    Case(
        "examples: filtering on multiple tags in a single rule, example A, with a prefix list",
        "only an image that has a tag for each prefix is selected",
        [rule(1, **prefixed("alpha", "beta"), **days("sinceImagePushed", 5))],
        ALPHA_BETA,
        {"C": 1},
    ),
    Case(
        "examples: filtering on multiple tags in a single rule, example B",
        "further tags do not exclude an image",
        [rule(1, **tagged("alpha*", "beta*"), **count(1))],
        [
            image("A", "alpha-1", "beta-1", "gamma-1", pushed=10),
            image("B", "alpha-2", "beta-2", pushed=9),
            image("C", "alpha-3", "beta-3", "gamma-2", pushed=8),
        ],
        {"A": 1, "B": 1},
    ),
    Case(
        "examples: filtering on all images, example A",
        "any selects tagged and untagged images; the newest stays",
        [rule(1, **ANY, **count(1))],
        [
            image("A", "alpha-1", pushed=4),
            image("B", "beta-1", pushed=3),
            image("C", pushed=2),
            image("D", "alpha-2", pushed=1),
        ],
        {"A": 1, "B": 1, "C": 1},
    ),
    Case(
        "examples: filtering on all images, example B",
        "rule 3 counts what the others have identified, and expires only what they have not",
        [
            rule(1, **tagged("alpha*"), **count(1)),
            rule(2, **UNTAGGED, **days("sinceImagePushed", 1)),
            rule(3, **ANY, **count(1)),
        ],
        [
            image("A", "alpha-1", "beta-1", pushed=4),
            image("B", pushed=3),
            image("C", "alpha-2", pushed=2),
            image("D", "git-hash", pushed=1.5),
            image("E", pushed=0.5),
        ],
        {"A": 1, "B": 2, "D": 3},
    ),
    Case(
        "examples: archive and expire images",
        "each rule acts in its own storage class",
        [
            rule(1, ARCHIVE, **ANY, **days("sinceImagePulled", 30)),
            rule(2, **ANY, storageClass="archive", **days("sinceImageTransitioned", 365)),
        ],
        [archived("A", since=366), archived("B", since=300), image("C", pushed=2)],
        {"A": 2},
    ),
    Case(
        "evaluation: an image that matches the tagging requirements of a rule is not expired by one of lower priority",
        "a rule that keeps ever so many shields its images",
        [rule(1, **tagged("release-*"), **count(9999)), rule(2, **tagged("dev-*"), **days("sinceImagePushed", 1))],
        [image("A", "release-1", "dev-1", pushed=50), image("B", "dev-2", pushed=40)],
        {"B": 2},
    ),
    Case(
        "evaluation: rules can never mark images that are marked by higher priority rules, but can still identify them",
        "the image that rule 1 expires still takes one of the two places of rule 2",
        [rule(1, **tagged("a"), **days("sinceImagePushed", 1)), rule(2, **ANY, **count(2))],
        [image("A", "a", pushed=2), image("B", "b", pushed=3), image("C", "c", pushed=4)],
        {"A": 1, "C": 2},
    ),
    Case(
        "evaluation: an image that a manifest list references cannot be expired before the list is",
        "the index goes, what it lists comes into question in the next evaluation",
        [rule(1, **ANY, **days("sinceImagePushed", 1))],
        [
            image("index", "latest", pushed=30, children=frozenset({digest("arm64"), digest("amd64")})),
            image("arm64", pushed=30),
            image("amd64", pushed=30),
        ],
        {"index": 1},
    ),
    Case(
        "evaluation: as before, where the index is not to go",
        "what it lists is untagged and old, and stays",
        [rule(1, **UNTAGGED, **days("sinceImagePushed", 1))],
        [image("index", "latest", pushed=30, children=frozenset({digest("arm64")})), image("arm64", pushed=30)],
        {},
    ),
    Case(
        "evaluation: expiration is always ordered by pushed_at_time; of a restored image last_activated_at is used",
        "the restored image counts as the newest",
        [rule(1, **ANY, **count(1))],
        [image("A", pushed=400, archived_at=ago(200), restored_at=ago(1)), image("B", pushed=5)],
        {"B": 1},
    ),
    Case(
        "evaluation: sinceImagePulled of an image that was never pulled uses pushed_at_time",
        "never pulled, and pushed 91 days ago",
        [rule(1, ARCHIVE, **ANY, **days("sinceImagePulled", 90))],
        [image("A", pushed=91), image("B", pushed=89)],
        {"A": 1},
        Action.ARCHIVE,
    ),
    Case(
        "evaluation: sinceImagePulled of an image that was restored and not pulled since uses last_activated_at",
        "restored 50 days ago, pulled long before",
        [rule(1, ARCHIVE, **ANY, **days("sinceImagePulled", 60))],
        [
            image("A", pushed=400, archived_at=ago(200), restored_at=ago(50), last_pulled_at=ago(300)),
            image("B", pushed=400, archived_at=ago(200), restored_at=ago(70), last_pulled_at=ago(300)),
        ],
        {"B": 1},
        Action.ARCHIVE,
    ),
    Case(
        "evaluation: with imageCountMoreThan all images greater than the count are expired or archived",
        "archived all the same",
        [rule(1, ARCHIVE, **tagged("v*"), **count(1))],
        [image("A", "v1", pushed=3), image("B", "v2", pushed=2)],
        {"A": 1},
        Action.ARCHIVE,
    ),
    Case(
        "evaluation: a filter of prod* matches prod, prod1 and production-team1, *prod* matches repo-production",
        "the whole image tag has to fit",
        [rule(1, **tagged("*prod*"), **days("sinceImagePushed", 1)), rule(2, **tagged("test"), **count(1))],
        [image("A", "repo-production", pushed=9), image("B", "test1", pushed=9), image("C", "pro-d", pushed=9)],
        {"A": 1},
    ),
    Case(
        "parameters: storageClass, if omitted the value of standard will be used",
        "an archived image is not selected",
        [rule(1, **ANY, **days("sinceImagePushed", 1))],
        [archived("A", since=100), image("B", pushed=2)],
        {"B": 1},
    ),
    Case(
        "parameters: the maximum limit of four wildcards",
        "a pattern with four of them",
        [rule(1, **tagged("*test*1*2*3"), **count(1))],
        [image("A", "a-test-1-2-3", pushed=2), image("B", "test123", pushed=1), image("C", "test132", pushed=9)],
        {"A": 1},
    ),
    Case(
        "evaluation: older than the specified number of days",
        "an image exactly as old as the limit stays",
        [rule(1, **ANY, **days("sinceImagePushed", 5))],
        [image("A", pushed=5), image("B", pushed=5.001)],
        {"B": 1},
    ),
    Case(
        "archive: an image that is being restored",
        "it is left alone until it is back",
        [rule(1, **ANY, storageClass="archive", **days("sinceImageTransitioned", 90))],
        [archived("A", since=900, is_being_restored=True), archived("B", since=900)],
        {"B": 1},
    ),
    Case(
        "archive: an archived index and what it lists",
        "that may be archived, too",
        [rule(1, ARCHIVE, **UNTAGGED, **days("sinceImagePushed", 1))],
        [archived("index", "v1", since=9, children=frozenset({digest("arm64")})), image("arm64", pushed=30)],
        {"arm64": 1},
        Action.ARCHIVE,
    ),
    Case(
        "evaluation: an image that a manifest list references cannot be expired, also not when the list is archived",
        "it stays until the archived index is deleted",
        [rule(1, **UNTAGGED, **days("sinceImagePushed", 1))],
        [archived("index", "v1", since=9, children=frozenset({digest("arm64")})), image("arm64", pushed=30)],
        {},
    ),
    Case(
        "evaluation: reference artifacts follow their subject",
        "no rule sees a referrer, however old it is",
        [rule(1, **UNTAGGED, **days("sinceImagePushed", 1))],
        [image("A", "v1", pushed=2), image("sbom", pushed=30, subject=digest("A"))],
        {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.page)
def test_the_images_that_the_guide_names_are_claimed_by_the_rule_that_it_names(case: Case) -> None:
    policy = read_lifecycle_policy({"rules": case.rules})
    assert refusals(policy) == ()

    claims = simulate(policy, case.images, NOW)

    expected = {digest(name): priority for name, priority in case.claims.items()}
    assert {claim.image.digest: claim.rule.priority for claim in claims if claim.rule} == expected, case.says
    assert {claim.action for claim in claims} <= {case.action}


def test_referrers_follow_what_goes_and_their_own_referrers_follow_them() -> None:
    policy = read_lifecycle_policy({"rules": [rule(1, **tagged("v*"), **days("sinceImagePushed", 1))]})
    subject, other = image("subject", "v1", pushed=30), image("other", "x", pushed=30)
    sbom = image("sbom", pushed=20, subject=subject.digest)
    signature = image("signature", pushed=10, subject=sbom.digest)
    kept = image("kept", pushed=20, subject=other.digest)
    orphan = image("orphan", pushed=20, subject=digest("never here"))
    images = [signature, kept, sbom, other, subject, orphan]

    followers = following(images, simulate(policy, images, NOW))

    assert [(claim.image, claim.action, claim.rule) for claim in followers] == [
        (sbom, Action.EXPIRE, None),
        (signature, Action.EXPIRE, None),
    ]


def test_a_referrer_is_archived_when_its_subject_is_and_stays_when_an_index_lists_it() -> None:
    subject = archived("subject", "v1", since=1)
    sbom = image("sbom", pushed=20, subject=subject.digest)
    listed = image("listed", pushed=20, subject=subject.digest)
    index = image("index", "v2", pushed=1, children=frozenset({listed.digest}))

    followers = following([subject, sbom, listed, index], ())

    assert [(claim.image, claim.action) for claim in followers] == [(sbom, Action.ARCHIVE)]


def test_referrers_that_refer_to_each_other_are_looked_at_once() -> None:
    one = image("one", pushed=2, subject=digest("two"))
    two = image("two", pushed=2, subject=digest("one"))

    assert following([one, two], ()) == ()


def test_a_claim_says_since_when_its_days_are_over() -> None:
    policy = read_lifecycle_policy({"rules": [rule(1, **ANY, **days("sinceImagePushed", 5))]})

    (claim,) = simulate(policy, [image("A", pushed=7)], NOW)

    assert claim.since == ago(2)


def test_nothing_is_claimed_by_days_beyond_the_calendar() -> None:
    policy = read_lifecycle_policy({"rules": [rule(1, **ANY, **days("sinceImagePushed", 2**31 - 1))]})

    assert simulate(policy, [image("A", pushed=7)], NOW) == ()


def test_of_images_of_one_moment_it_does_not_matter_which_is_read_first() -> None:
    policy = read_lifecycle_policy({"rules": [rule(1, **ANY, **count(1))]})
    images = [image(name, pushed=7) for name in "ABC"]

    assert simulate(policy, images, NOW) == simulate(policy, images[::-1], NOW)
    assert simulate(policy, [replace(images[0], pushed_at=ago(6)), *images[1:]], NOW)[0].image in images[1:]
