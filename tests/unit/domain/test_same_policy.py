from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.governance import is_same_policy


def policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", **statement}]}


@given(st.permutations(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]))
def test_order_of_actions_means_nothing(actions: list[str]) -> None:
    assert is_same_policy(policy(Action=sorted(actions)), policy(Action=actions))


def test_brackets_around_one_element_mean_nothing() -> None:
    written = policy(Action=["ecr:BatchGetImage"])
    answered = {**written, "Statement": policy(Action="ecr:BatchGetImage")["Statement"][0]}

    assert is_same_policy(written, answered)


def test_another_action_principal_or_condition_is_another_policy() -> None:
    one = policy(Action=["ecr:BatchGetImage"])

    assert not is_same_policy(one, policy(Action=["ecr:PutImage"]))
    assert not is_same_policy(one, policy(Action=["ecr:BatchGetImage", "ecr:PutImage"]))
    assert not is_same_policy(
        one, policy(Action=["ecr:BatchGetImage"], Condition={"Bool": {"aws:SecureTransport": "true"}})
    )
    assert not is_same_policy(one, policy(Action=["ecr:BatchGetImage"], Principal={"AWS": "111122223333"}))


def test_no_policy_is_another_one_than_any() -> None:
    assert not is_same_policy(policy(Action=["ecr:BatchGetImage"]), None)
