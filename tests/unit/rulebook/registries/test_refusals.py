"""The key ``registries``: what is refused, and with which reason."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from ecr_steward.rulebook.schema import rulebook_schema
from ecr_steward.rulebook.validate import validate

type Build = Callable[..., dict[str, Any]]
type Problems = Callable[[Any], list[str]]

STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
TEMPLATE = {"prefix": "team-a", "applied_for": ["replication"]}
ALL_IMAGES = {"expire": {"after": "14d"}}
ANONYMOUS = {**STATEMENT, "Sid": "A"}
ON_PUSH = {"frequency": "on_push", "repositories": ["*"]}
PROD = {"to": [{"region": "eu-west-1"}], "repositories": ["prod/"]}
LONG_POLICY = {"statements": [{**STATEMENT, "Sid": f"S{number}"} for number in range(100)]}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({}, ": the entry `all` asks for nothing; expected one of `policy`, `scanning`, `replication`, "),
        ({"account_settings": {}}, ".account_settings: this asks for nothing: name a setting"),
        ({"policy": {}}, ".policy: this asks for nothing: give it statements, or `foreign: remove`"),
        ({"replication": {"rules": []}}, ".replication: this asks for nothing: give it `rules`, or `foreign: remove`"),
        (
            {"replication": {"foreign": "remove", "backfill": True}},
            ".replication: `backfill` asks for nothing without `rules`: nothing is replicated",
        ),
        ({"name": "services", "scanning": {"type": "basic"}}, ".name: there is a rule `services` already"),
        (
            {"scanning": {"type": "enhanced", "rules": [{"frequency": "manual", "repositories": ["*"]}]}},
            ".scanning.rules[0].frequency: enhanced scans know no `manual`; expected one of on_push, continuous",
        ),
        (
            {"scanning": {"type": "basic", "rules": [{"frequency": "continuous", "repositories": ["*"]}]}},
            ".scanning.rules[0].frequency: basic scans know no `continuous`; expected one of on_push, manual",
        ),
        (
            {"scanning": {"type": "basic", "rules": [ON_PUSH, ON_PUSH]}},
            ".scanning.rules[1].frequency: there is a rule for `on_push` already; expected the filters of both in one",
        ),
        (
            {"scanning": {"type": "basic", "rules": [{"frequency": "on_push", "repositories": ["Prod"]}]}},
            ".scanning.rules[0].repositories[0]: `Prod` is not a filter that ECR takes",
        ),
        (
            {"scanning": {"type": "basic", "rules": [{"frequency": "on_push", "repositories": ["a", "a"]}]}},
            ".scanning.rules[0].repositories: `a` stands here twice",
        ),
        ({"replication": {"rules": [PROD, PROD]}}, ".replication.rules[1]: a rule above is for the same repositories"),
        (
            {"replication": {"rules": [{"to": [{}]}]}},
            ".replication.rules[0].to[0]: a destination needs an `account`, a `region` or both",
        ),
        (
            {"replication": {"rules": [{"to": [{"region": "eu-west-1"}, {"region": "eu-west-1"}]}]}},
            ".replication.rules[0].to[1]: this stands above already",
        ),
        (
            {"match": {"regions": ["eu-west-1"]}, "replication": {"rules": [PROD]}},
            ".replication.rules[0].to[0]: every registry of this entry would replicate to itself",
        ),
        (
            {"replication": {"rules": [{**PROD, "repositories": ["prod/**"]}]}},
            ".replication.rules[0].repositories[0]: `prod/**` has a `*`, and ECR replicates by how names begin; did "
            "you mean `prod/`?; expected the beginning alone",
        ),
        (
            {"replication": {"rules": [{**PROD, "repositories": ["/prod"]}]}},
            ".replication.rules[0].repositories[0]: `/prod` is not how a repository's name begins",
        ),
        (
            {
                "replication": {
                    "rules": [
                        {"to": [{"account": f"{n:012}"} for n in range(20)], "repositories": ["aa/"]},
                        {"to": [{"account": f"{n:012}"} for n in range(10, 30)], "repositories": ["bb/"]},
                    ]
                }
            },
            ".replication.rules: the rules have 30 destinations together; expected at most 25",
        ),
        ({"policy": LONG_POLICY}, ".policy: the registry policy has 1"),
        (
            {"policy": {"statements": [{**STATEMENT, "Sid": "A"}, {**STATEMENT, "Sid": "A"}]}},
            ".policy.statements[1].Sid: `A` is the Sid of another statement of this policy",
        ),
        (
            {"policy": {"statements": [{**STATEMENT, "Effect": "Deny", "Action": ["ecr:PutImage", "ecr:*"]}]}},
            ".policy.statements[0].Action: a Deny of `ecr:*` in the registry policy holds for Amazon Inspector",
        ),
        (
            {"policy": {"statements": [STATEMENT]}, "account_settings": {"registry_policy_scope": "V1"}},
            ".policy.statements[0].Action: with `registry_policy_scope: V1` the policy is never asked about "
            "`ecr:BatchGetImage`",
        ),
        (
            {"creation_templates": [TEMPLATE, {**TEMPLATE, "prefix": "team-a/"}]},
            ".creation_templates[1].prefix: there is a template for `team-a` already",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "prefix": "team-*/**"}]},
            ".creation_templates[0].prefix: `team-*/**` is not the prefix of a creation template",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "prefix": "team-a/**"}]},
            ".creation_templates[0].prefix: `team-a/**` is not the prefix of a creation template; did you mean "
            "`team-a/`?",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "prefix": "*"}]},
            ".creation_templates[0].prefix: `*` is not the prefix of a creation template; did you mean `ROOT`?",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "applied_for": ["pushes"]}]},
            ".creation_templates[0].applied_for[0]: `pushes` is not known here",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "settings_of": "service"}]},
            ".creation_templates[0].settings_of: there is no rule `service`; did you mean `services`?",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "resource_tags": {"a": "b"}, "encryption": {"type": "kms"}}]},
            ".creation_templates[0]: with resource tags and a KMS key ECR creates no repository by this template "
            "without a role",
        ),
        (
            {
                "creation_templates": [
                    {**TEMPLATE, "encryption": {"type": "aes256", "key": "arn:aws:kms:a:" + "1" * 12 + ":key/a"}}
                ]
            },
            ".creation_templates[0].encryption: a `key` goes with the types kms and kms_dsse",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "lifecycle": [ALL_IMAGES, ALL_IMAGES]}]},
            ".creation_templates[0].lifecycle[",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "policy": {"statements": [ANONYMOUS, ANONYMOUS]}}]},
            ".creation_templates[0].policy.statements[1].Sid: `A` is the Sid of another statement",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "role": "admin"}]},
            ".creation_templates[0].role: `admin` is a role that the steward may not give to ECR; expected a name of "
            "at most 64 characters that starts with ecr-steward-creation-template, as the template's parameter "
            "CreationTemplateRolePrefix says",
        ),
        (
            {"creation_templates": [{**TEMPLATE, "role": "arn:aws:iam::111122223333:role/a"}]},
            ".creation_templates[0].role: `arn:aws:iam::111122223333:role/a` is an ARN",
        ),
        ({"creation_templates": []}, ".creation_templates: `[]` does not fit here; expected at least 1 entry"),
        ({"scaning": {}}, ".scaning: unknown key `scaning`; did you mean `scanning`?"),
    ],
)
def test_the_reason_is_told_when_an_entry_is_wrong(
    with_registries: Build, problems_of: Problems, entry: dict[str, Any], told: str
) -> None:
    problems = problems_of(with_registries(entry))

    assert any(problem.startswith(f"registries[0]{told}") for problem in problems), problems


def test_the_entry_is_named_when_another_one_decides_its_key(with_registries: Build, problems_of: Problems) -> None:
    europe = {"name": "europe", "match": {"regions": ["eu-*"]}, "scanning": {"type": "basic"}}
    ireland = {"name": "ireland", "match": {"regions": ["eu-west-1"], "accounts": ["111122223333"]}}

    (problem,) = problems_of(with_registries(europe, {**ireland, "scanning": {"type": "enhanced"}}))

    assert problem.startswith(
        "registries[1].scanning: this never decides anything: `europe` above matches every registry"
    )


def test_two_entries_are_fine_when_the_wider_one_is_below(with_registries: Build, problems_of: Problems) -> None:
    ireland = {"name": "ireland", "match": {"regions": ["eu-west-1"]}, "scanning": {"type": "enhanced"}}

    assert problems_of(with_registries(ireland, {"scanning": {"type": "basic"}})) == []


def test_the_other_entry_is_told_when_a_name_is_taken(with_registries: Build, problems_of: Problems) -> None:
    one = {"match": {"regions": ["eu-west-1"]}, "scanning": {"type": "enhanced"}}

    (problem,) = problems_of(with_registries(one, {"scanning": {"type": "basic"}}))

    assert problem == "registries[1].name: there is an entry `all` already: registries[0]"


def test_the_rule_is_told_when_it_says_nothing_about_repositories(
    with_registries: Build, problems_of: Problems
) -> None:
    data = with_registries({"creation_templates": [{**TEMPLATE, "settings_of": "tags"}]})
    data["rules"].append({"name": "tags", "match": {"repositories": ["tags/**"]}, "image_tags": {"allow": ["semver"]}})

    (problem,) = problems_of(data)

    assert problem.startswith("registries[0].creation_templates[0].settings_of: the rule `tags` says nothing about")


class TestChains:
    def hop(self, region: str, *to: str, prefix: str = "prod/") -> dict[str, Any]:
        destinations = [{"region": each} for each in to]
        rules = [{"to": destinations, "repositories": [prefix]}]
        return {"name": region, "match": {"regions": [region]}, "replication": {"rules": rules}}

    def test_a_chain_is_told_when_its_end_is_not_among_the_first_destinations(
        self, with_registries: Build, problems_of: Problems
    ) -> None:
        data = with_registries(self.hop("us-east-1", "eu-west-1"), self.hop("eu-west-1", "ap-south-1", prefix="prod/a"))

        (problem,) = problems_of(data)

        assert problem == (
            "registries[1].replication.rules[0].to[0]: images that `us-east-1` has ECR replicate to eu-west-1 do not "
            "go on to ap-south-1: ECR copies an image once, from where it was pushed; expected ap-south-1 among the "
            "destinations of `us-east-1`, too, or repositories that differ"
        )

    @pytest.mark.parametrize(
        "hops",
        [
            [("us-east-1", "eu-west-1", "ap-south-1"), ("eu-west-1", "ap-south-1")],
            [("us-east-1", "eu-west-1"), ("eu-west-1", "us-east-1")],
        ],
    )
    def test_there_is_no_chain_when_the_first_copies_there_itself_or_both_copy_to_each_other(
        self, with_registries: Build, problems_of: Problems, hops: list[tuple[str, ...]]
    ) -> None:
        assert problems_of(with_registries(*(self.hop(*hop) for hop in hops))) == []

    def test_a_chain_is_told_once_when_its_end_is_reached_from_two_registries(
        self, with_registries: Build, problems_of: Problems
    ) -> None:
        firsts = [self.hop(region, "eu-west-1") for region in ("us-east-1", "us-west-2")]

        (problem,) = problems_of(with_registries(*firsts, self.hop("eu-west-1", "ap-south-1")))

        assert problem.startswith("registries[2].replication.rules[0].to[0]: images that `us-east-1` has ECR replicate")

    def test_there_is_no_chain_when_the_repositories_differ(
        self, with_registries: Build, problems_of: Problems
    ) -> None:
        data = with_registries(self.hop("us-east-1", "eu-west-1"), self.hop("eu-west-1", "ap-south-1", prefix="test/"))

        assert problems_of(data) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"mode": "enforced"},
        {"match": {"regions": "eu-west-1"}},
        {"policy": {"replication_from": [222233334444]}},
        {"policy": {"foreign": "drop"}},
        {"scanning": {"type": "none"}},
        {"scanning": {"type": "basic", "rules": [{"frequency": "on_push", "repositories": ["a//b"]}]}},
        {"replication": {"rules": [{"to": []}]}},
        {"replication": {"rules": [{**PROD, "repositories": ["p"]}]}},
        {"creation_templates": [{**TEMPLATE, "prefix": "root"}, {**TEMPLATE, "prefix": "-a"}]},
        {"creation_templates": [{**TEMPLATE, "role": "ecr-steward-creation-template".ljust(65, "x")}]},
        {"creation_templates": [{**TEMPLATE, "encryption": {"type": "kms", "key": "alias/aws/ecr"}}]},
        {"account_settings": {"basic_scan_version": "CLAIR"}},
    ],
)
def test_schema_and_models_refuse_the_same_when_an_entry_is_wrong(
    with_registries: Build, entry: dict[str, Any]
) -> None:
    data = with_registries(entry)

    assert not jsonschema.Draft202012Validator(rulebook_schema()).is_valid(data)
    assert validate(data)[0] is None
