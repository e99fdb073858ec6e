"""Which calls the steward takes for its own."""

import pytest

from ecr_steward.domain.callers import Caller, OwnRoles

OWN = OwnRoles("111122223333", "/ecr-steward/", frozenset({"222233334444"}), "ecr-steward-spoke")


@pytest.mark.parametrize(
    ("role", "is_own"),
    [
        ("arn:aws:iam::111122223333:role/ecr-steward/ApplyRole-1A2B", True),
        ("arn:aws-cn:iam::111122223333:role/ecr-steward/ApplyRole-1A2B", True),
        ("arn:aws:iam::222233334444:role/ecr-steward-spoke", True),
        ("arn:aws:iam::111122223333:role/ecr-steward-spoke", False),
        ("arn:aws:iam::333344445555:role/ecr-steward/ApplyRole-1A2B", False),
        ("arn:aws:iam::333344445555:role/ecr-steward-spoke", False),
        ("arn:aws:iam::222233334444:role/ecr-steward/ApplyRole-1A2B", False),
        ("arn:aws:iam::222233334444:role/team/ecr-steward-spoke", False),
        ("arn:aws:iam::111122223333:role/developer", False),
        ("arn:aws:iam::111122223333:role/team/ecr-steward/ApplyRole", False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_only_roles_of_the_functions_are_own_when_somebody_calls(role: str | None, is_own: bool) -> None:
    assert OWN.include(Caller("arn:aws:sts::111122223333:assumed-role/x/y", role)) == is_own


def test_nobody_is_taken_for_the_steward_when_the_template_gives_no_path() -> None:
    assert not OwnRoles("111122223333", "/").include(Caller("x", "arn:aws:iam::111122223333:role/developer"))
