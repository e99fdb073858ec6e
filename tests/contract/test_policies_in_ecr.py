"""A rulebook's policies in a registry that many write to: what ECR takes, what stays, and how often it is asked."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ecr_steward.adapters.memory import (
    InMemoryNotices,
    InMemoryRegistrySettings,
    InMemoryReplicationQueue,
    InMemorySweepParts,
    InMemorySweepQueue,
)
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Rules
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.reconcile_registry import sweep_part
from ecr_steward.usecases.sweep_repository import Hands
from tests.given.appliers import applier_of

STRANGER = "999999999999"


@pytest.fixture
def world(adapter_world: Any) -> Any:
    return adapter_world


@pytest.fixture
def asked(world: Any, repository: RepositoryRef) -> Iterator[Counter[str]]:
    """How often each operation was called."""
    counted: Counter[str] = Counter()
    events = world._clients.ecr(repository.registry).meta.events

    def count(model: Any, **_: Any) -> None:
        counted[model.name] += 1

    events.register("before-call.ecr", count)
    yield counted
    events.unregister("before-call.ecr", count)


def rules_for(**settings: Any) -> Rules:
    rule = {"name": "all", "match": {"repositories": ["**"]}, "mode": "enforce", "repository": settings}
    rulebook, problems = validate({"version": 1, "rules": [rule]})
    assert problems == ()
    assert rulebook is not None
    return compile_rulebook(rulebook)


def mend(world: Any, repository: RepositoryRef, rules: Rules) -> Outcome:
    change = RepositoryChanged(repository, "SetRepositoryPolicy")
    (outcome,) = apply_repository_policies(
        change, rules=rules, registry=world.registry, applier=applier_of(world.registry)
    )
    assert outcome.error is None
    return outcome


def write(world: Any, repository: RepositoryRef, *statements: dict[str, Any]) -> None:
    """Somebody writes the policy, past the steward."""
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    world._clients.ecr(repository.registry).set_repository_policy(
        repositoryName=repository.name, policyText=text, force=True
    )


def sids(world: Any, repository: RepositoryRef) -> list[str]:
    policy = world.registry.repository(repository).settings.policy
    return [statement["Sid"] for statement in policy["Statement"]]


def test_ecr_takes_the_statement_of_every_word(world: Any, repository: RepositoryRef) -> None:
    unit = "ou:o-abcde12345/r-ab12/ou-ab12-11111111/*"
    named = ["account", STRANGER, "org:o-abcde12345", unit, "role/ci-*", "222233334444:role/team/*", "user/bob*"]
    services = ["lambda", "lambda:222233334444", "codebuild", "codebuild:222233334444"]
    rules = rules_for(policy={"pull": [*named, *services], "push": named})

    mend(world, repository, rules)

    assert len(sids(world, repository)) == 12
    assert mend(world, repository, rules).plan.is_empty


def test_statements_of_others_stay_and_nothing_is_written_twice(
    world: Any, repository: RepositoryRef, asked: Counter[str]
) -> None:
    rules = rules_for(policy={"pull": ["account"]})
    lambdas = {"Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Action": "ecr:BatchGetImage"}
    write(world, repository, {**lambdas, "Principal": {"Service": "lambda.amazonaws.com"}})

    mend(world, repository, rules)
    asked.clear()
    mend(world, repository, rules)

    assert sids(world, repository) == ["LambdaECRImageRetrievalPolicy", "EcrStewardPull"]
    assert asked["SetRepositoryPolicy"] == 0


def test_outsiders_lose_their_access_when_the_rule_says_so(world: Any, repository: RepositoryRef) -> None:
    pull = {"Effect": "Allow", "Action": "ecr:BatchGetImage"}
    write(
        world,
        repository,
        {**pull, "Sid": "public", "Principal": "*"},
        {**pull, "Sid": "stranger", "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}},
        {**pull, "Sid": "ours", "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}},
    )

    outcome = mend(world, repository, rules_for(policy={"outside": "remove"}))

    assert sids(world, repository) == ["ours"]
    (step,) = outcome.plan.steps
    assert "`public` lets in everybody" in step.why
    assert f"`stranger` lets in {STRANGER}" in step.why


def test_there_is_no_policy_when_the_rule_wants_none(world: Any, repository: RepositoryRef) -> None:
    mend(world, repository, rules_for(policy={"pull": ["account"]}))

    mend(world, repository, rules_for(policy={"foreign": "remove"}))

    assert world.registry.repository(repository).settings.policy is None


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({"mutability": {"immutable": False}, "scanning": "manual", "encryption": {"type": "aes256"}}, 1),
        ({"policy": {"pull": ["account"]}}, 1),
        ({"resource_tags": {"a": "b"}}, 1),
        ({"policy": {"pull": ["account"]}, "lifecycle": [{"expire": {"untagged": True, "after": "14d"}}]}, 2),
    ],
)
def test_each_part_costs_one_call_and_only_where_a_rule_speaks_of_it(
    world: Any, repository: RepositoryRef, asked: Counter[str], settings: dict[str, Any], calls: int
) -> None:
    rules = rules_for(**settings)
    mend(world, repository, rules)
    asked.clear()

    assert mend(world, repository, rules).plan.is_empty
    assert asked.total() == calls


def test_a_sweep_with_nothing_to_do_asks_three_times_for_each_repository(
    world: Any, repository: RepositoryRef, asked: Counter[str]
) -> None:
    rules = rules_for(
        policy={"pull": ["account"]},
        lifecycle=[{"expire": {"untagged": True, "after": "14d"}}],
        mutability={"immutable": True},
        scanning="on_push",
        encryption={"type": "aes256"},
        resource_tags={"managed-by": "ecr-steward"},
    )
    names = sorted(f"team-{number}/api" for number in range(10))
    for name in names:
        ref = RepositoryRef(repository.registry, name)
        world.registry.create_repository(ref, None)
        mend(world, ref, rules)
    part = SweepPart(repository.registry, tuple(names), "sweep")
    hands = Hands(
        registry=world.registry,
        content=world.content,
        scans=world.scans,
        notices=InMemoryNotices(),
        queue=InMemoryReplicationQueue(),
        now=noon,
        applier=applier_of(world.registry),
        settings=InMemoryRegistrySettings(),
    )
    asked.clear()

    outcome = sweep_part(part, rules=rules, hands=hands, queue=InMemorySweepQueue(), under_way=InMemorySweepParts())

    assert (outcome.repositories, outcome.outcomes, outcome.failures) == (10, (), ())
    assert asked == {
        "GetRepositoryPolicy": 10,
        "GetLifecyclePolicy": 10,
        "ListTagsForResource": 10,
        "DescribeRepositories": 5,  # of 2 repositories each: BATCH_SIZE is 2 in these tests
    }
