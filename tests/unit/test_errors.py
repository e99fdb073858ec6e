"""One error that speaks for several loses nothing of what the others said."""

from ecr_steward.errors import (
    CredentialRefusedError,
    ForeignSecretError,
    RoleNotAssumableError,
    StewardError,
    ThrottledError,
    gravest,
)


def of_rule(error: StewardError, rule: str) -> StewardError:
    error.rule = rule
    return error


def test_retryable_error_speaks_for_all_since_trying_again_may_mend_them() -> None:
    chosen = gravest([ForeignSecretError("not ours"), ThrottledError("slow down"), ThrottledError("and you")])

    assert str(chosen) == "slow down"
    assert chosen.__notes__ == ["beside it: not ours", "beside it: and you"]


def test_note_names_the_rule_when_it_is_another() -> None:
    first = of_rule(ForeignSecretError("not ours"), "cluster")
    second = of_rule(ForeignSecretError("not ours either"), "cluster")
    third = of_rule(RoleNotAssumableError("no such role"), "laptop")

    chosen = gravest([first, second, third])

    assert chosen.__notes__ == ["beside it: not ours either", "beside it (laptop): no such role"]


def test_notes_are_kept_when_an_error_that_speaks_for_others_becomes_a_note_itself() -> None:
    laptop = gravest([CredentialRefusedError("may push"), ForeignSecretError("not ours")])

    chosen = gravest([RoleNotAssumableError("no such role"), laptop])

    assert chosen.__notes__ == ["beside it: may push", "beside it: not ours"]


def test_a_note_is_there_once_when_several_messages_share_their_errors() -> None:
    index, other = ThrottledError("slow down"), ForeignSecretError("not ours")

    for _ in range(3):
        gravest([index, other, other])

    assert index.__notes__ == ["beside it: not ours"]


def test_notes_do_not_grow_when_an_error_that_speaks_for_others_meets_one_of_them_again() -> None:
    pushed, refused = CredentialRefusedError("may push"), ForeignSecretError("not ours")
    laptop = gravest([pushed, refused])

    chosen = gravest([laptop, refused, pushed])

    assert chosen.__notes__ == ["beside it: not ours"]
