"""From words to rules and to ECR's documents."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.names import ImageTag, RegistryRef, RepositoryRef, partition_of
from ecr_steward.domain.policies.rules import Inside, PolicyRules
from ecr_steward.domain.repositories import Mutability, RepositorySettings, TagMutability
from ecr_steward.domain.retention_rules import RetentionRules
from ecr_steward.domain.rules import Destination, Mode
from ecr_steward.domain.tag_rules import OnViolation
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.policy_document import repository_policy
from ecr_steward.rulebook.validate import validate

HOME = RegistryRef("111122223333", "us-east-1")
API = RepositoryRef(HOME, "team-a/api")
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = [*PULL, "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
words = st.lists(
    st.sampled_from(["account", "222233334444", "org:o-abcde12345", "role/ci", "role/ci-*", "role/x*"]), min_size=1
)


def compiled(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return compile_rulebook(rulebook)


def test_the_example_becomes_ecrs_settings_when_it_is_compiled(example):
    settings = compiled(example).rules[0].repository(API.registry)

    assert settings == RepositorySettings(
        policy_rules=PolicyRules(
            statements=(
                {
                    "Sid": "EcrStewardPull",
                    "Effect": "Allow",
                    "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]},
                    "Action": PULL,
                },
            ),
            inside=Inside(frozenset({"111122223333"})),
        ),
        lifecycle={
            "rules": [
                {
                    "rulePriority": 1,
                    "description": "ecr-steward: keep the newest 30 of *.*.*",
                    "selection": {
                        "tagStatus": "tagged",
                        "tagPatternList": ["*.*.*"],
                        "countType": "imageCountMoreThan",
                        "countNumber": 30,
                    },
                    "action": {"type": "expire"},
                },
                {
                    "rulePriority": 2,
                    "description": "ecr-steward: expire untagged images 14 days after their push",
                    "selection": {
                        "tagStatus": "untagged",
                        "countType": "sinceImagePushed",
                        "countUnit": "days",
                        "countNumber": 14,
                    },
                    "action": {"type": "expire"},
                },
            ]
        },
        mutability=TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"*-latest"})),
        scan_on_push=True,
        resource_tags={"managed-by": "ecr-steward"},
        retention=RetentionRules(),
    )


def test_the_example_becomes_tag_and_replication_rules_when_it_is_compiled(example):
    rule = compiled(example).rules[0]

    assert rule.mode is Mode.ENFORCE
    assert rule.image_tags.on_violation is OnViolation.QUARANTINE
    assert [pattern.spelling for pattern in (*rule.image_tags.allow, *rule.image_tags.deny)] == ["semver", "latest"]
    assert rule.image_tags.aliases.templates == ("{major}.{minor}-latest", "{major}-latest")
    assert rule.replicate[0].to == (Destination(region="eu-west-1"),)
    assert rule.replicate[0].referrers


def test_a_copy_stays_unless_its_entry_says_after_how_many_days_it_goes(with_rule):
    to = [{"region": "eu-west-1"}]

    kept = compiled(with_rule(replicate=[{"to": to}])).rules[0]
    removed = compiled(with_rule(replicate=[{"to": to, "remove": {"after": "2w"}}])).rules[0]

    assert kept.replicate[0].remove_after is None
    assert removed.replicate[0].remove_after == 14


def test_nothing_is_wanted_when_a_rule_names_no_setting(with_rule):
    rule = compiled(with_rule(repository={})).rules[0]

    assert rule.repository(API.registry) == RepositorySettings()


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ({"immutable": True}, Mutability.IMMUTABLE),
        ({"immutable": True, "except": ["x*"]}, Mutability.IMMUTABLE_WITH_EXCLUSION),
        ({"immutable": False}, Mutability.MUTABLE),
        ({"immutable": False, "except": ["x*"]}, Mutability.MUTABLE_WITH_EXCLUSION),
    ],
)
def test_mutability_is_ecrs_when_compiled(with_rule, written, mode):
    rule = compiled(with_rule(repository={"mutability": written})).rules[0]

    assert rule.repository(API.registry).mutability == TagMutability(mode, frozenset(written.get("except", ())))


def test_account_and_region_decide_which_rules_match_when_rules_name_them(with_rule):
    data = with_rule(match={"repositories": ["team-a/*"], "accounts": ["111122223333"], "regions": ["us-*"]})
    data["rules"].append({"name": "others", "match": {"repositories": ["**"]}, "image_tags": {"deny": ["latest"]}})
    rules = compiled(data)

    assert rules.governing(API, {}).names == ("services", "others")
    for elsewhere in (RegistryRef("222233334444", "us-east-1"), RegistryRef("111122223333", "eu-west-1")):
        assert rules.governing(API.in_registry(elsewhere), {}).names == ("others",)


def test_versions_are_ordered_as_semver_says_when_read_from_image_tags(example):
    version_of = compiled(example).rules[0].image_tags.aliases.version_of
    in_order = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "v1.2.0",
        "1.10.0",
    ]
    versions = [version_of(ImageTag(text)) for text in in_order]

    for lower, higher in itertools.pairwise(versions):
        assert lower.order < higher.order
        assert not higher.order < lower.order
    assert [version.is_prerelease for version in versions] == [True] * 5 + [False] * 3
    assert version_of(ImageTag("latest")) is None


def test_each_kind_of_principal_gets_its_statement_when_a_policy_names_them(with_rule):
    written = {
        "pull": ["org:o-zzzzz12345", "222233334444", "account", "org:o-abcde12345"],
        "push": ["role/deploy/release", "role/ci-*"],
        "statements": [
            {
                "Sid": "CodeBuild",
                "Effect": "Allow",
                "Principal": {"Service": "codebuild.amazonaws.com"},
                "Action": ["ecr:BatchGetImage"],
                "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
            }
        ],
    }
    repository = API.in_registry(RegistryRef("111122223333", "cn-north-1"))

    statements = (
        compiled(with_rule(repository={"policy": written}))
        .rules[0]
        .repository(repository.registry)
        .policy_rules.statements
    )

    account = "arn:aws-cn:iam::111122223333"
    assert statements == (
        {
            "Sid": "EcrStewardPull",
            "Effect": "Allow",
            "Principal": {"AWS": [f"{account}:root", "arn:aws-cn:iam::222233334444:root"]},
            "Action": PULL,
        },
        {
            "Sid": "EcrStewardPullFromOrganization",
            "Effect": "Allow",
            "Principal": "*",
            "Action": PULL,
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-abcde12345", "o-zzzzz12345"]}},
        },
        {
            "Sid": "EcrStewardPush",
            "Effect": "Allow",
            "Principal": {"AWS": [f"{account}:role/deploy/release"]},
            "Action": PUSH,
        },
        {
            "Sid": "EcrStewardPushByName",
            "Effect": "Allow",
            "Principal": {"AWS": [f"{account}:root"]},
            "Action": PUSH,
            "Condition": {"ArnLike": {"aws:PrincipalArn": [f"{account}:role/ci-*"]}},
        },
        written["statements"][0] | {"Sid": "EcrStewardCodeBuild"},
    )


@given(words, st.randoms(use_true_random=False))
def test_a_policy_is_the_same_document_when_its_words_come_in_another_order(chosen, random):
    shuffled = [*chosen, *chosen[:1]]
    random.shuffle(shuffled)

    one = repository_policy(Policy.model_validate({"pull": chosen}), HOME)
    other = repository_policy(Policy.model_validate({"pull": shuffled}), HOME)

    assert json.dumps(one) == json.dumps(other)


@given(words)
def test_nobody_outside_is_let_in_when_a_policy_is_made_of_words(chosen):
    for statement in repository_policy(Policy.model_validate({"push": chosen}), HOME)["Statement"]:
        assert statement["Principal"] != "*" or "aws:PrincipalOrgID" in statement["Condition"]["StringEquals"]
        assert not any("*" in action for action in statement["Action"])


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_belongs_to_its_partition_when_an_arn_is_made(region, partition):
    assert partition_of(region) == partition


def test_weeks_are_days_when_a_lifecycle_is_compiled(with_rule):
    data = with_rule(repository={"lifecycle": [{"expire": {"after": "2w"}}]})

    (rule,) = compiled(data).rules[0].repository(API.registry).lifecycle["rules"]

    assert rule["selection"] == {
        "tagStatus": "any",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    }


def test_a_lifecycle_is_long_enough_for_ecr_when_it_is_as_short_as_it_can_be(with_rule):
    data = with_rule(repository={"lifecycle": [{"keep": {"newest": 1}}]})

    document = compiled(data).rules[0].repository(API.registry).lifecycle

    assert len(json.dumps(document, separators=(",", ":"))) >= 100
