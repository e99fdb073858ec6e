"""The log of decisions."""

from datetime import UTC, datetime

from local_ecr import AccessDecision, DecisionLog


def decision(number=1, **changes):
    entry = {
        "time": datetime(2026, 11, 24, tzinfo=UTC),
        "face": "api",
        "principal": "arn:aws:iam::111122223333:role/ci",
        "action": f"ecr:Action{number}",
        "resource": "*",
        "is_allowed": True,
        "by": "identity policy Build, statement 1",
        "why": "",
    }
    return AccessDecision(**{**entry, **changes})


def test_the_oldest_decisions_are_forgotten_when_there_are_too_many():
    heard = []
    log = DecisionLog(limit=2, listener=heard.append)
    for number in range(4):
        log.record(decision(number))
    assert [one.action for one in log.entries()] == ["ecr:Action2", "ecr:Action3"]
    assert len(heard) == 4
    log.clear()
    assert log.entries() == []


def test_a_request_is_told_of_by_its_own_decisions_only():
    log = DecisionLog()
    for number, request_id in enumerate(["one", "two", "one", ""]):
        log.record(decision(number, request_id=request_id))
    assert [one.action for one in log.of_request("one")] == ["ecr:Action0", "ecr:Action2"]
    assert log.of_request("") == []
    assert log.why("two") == [str(decision(1))]


def test_a_decision_is_told_in_one_line():
    assert str(decision()) == (
        "allowed arn:aws:iam::111122223333:role/ci ecr:Action1 * (api) by identity policy Build, statement 1"
    )
    why = "with an explicit deny in an identity-based policy"
    assert str(decision(is_allowed=False, why=why)).endswith(f"(api) {why}, identity policy Build, statement 1")
    missing = "because no identity-based policy allows the ecr:Action1 action"
    assert str(decision(is_allowed=False, by="", why=missing)).endswith(f"(api) {missing}")
