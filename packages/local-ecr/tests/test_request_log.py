"""The log of requests: what was asked since a moment, also when more was asked than is kept."""

from datetime import UTC, datetime

import pytest

from local_ecr import ForgottenRequestsError, Request, RequestLog


def request(operation):
    return Request(
        time=datetime(2026, 1, 1, tzinfo=UTC),
        service="ecr",
        operation=operation,
        account="111122223333",
        region="us-east-1",
        principal="arn:aws:iam::111122223333:root",
        mutating=True,
        status=200,
        user_agent="",
    )


@pytest.fixture
def log():
    """A log that keeps three requests, and has had four: A, B, C and D."""
    made = RequestLog(limit=3)
    for operation in "ABCD":
        made.record(request(operation))
    return made


def operations(requests):
    return [one.operation for one in requests]


def test_a_mark_tells_what_came_after_it_when_the_log_is_full(log):
    mark = log.mark()
    assert log.since(mark) == []
    log.record(request("E"))
    log.record(request("F"))
    assert operations(log.since(mark)) == ["E", "F"]
    assert operations(log.entries()) == ["D", "E", "F"]


def test_a_log_refuses_to_tell_when_it_has_forgotten_some(log):
    mark = log.mark()
    for operation in "EFG":
        log.record(request(operation))
    assert operations(log.since(mark)) == ["E", "F", "G"]
    log.record(request("H"))
    with pytest.raises(ForgottenRequestsError, match="1 requests"):
        log.since(mark)


def test_a_mark_stays_good_when_the_log_is_cleared_before_it(log):
    log.clear()
    mark = log.mark()
    log.record(request("E"))
    assert operations(log.since(mark)) == ["E"]
    with pytest.raises(ForgottenRequestsError):
        log.since(0)
