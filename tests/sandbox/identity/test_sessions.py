"""Sessions are known while somebody may still use them, and forgotten afterwards."""

from datetime import UTC, datetime, timedelta

from ecr_steward_sandbox.identity.sessions import KEPT, Sessions

ROLE = "arn:aws:iam::111122223333:role/build/ci"


def test_session_is_forgotten_when_it_ended_long_ago() -> None:
    now = [datetime(2026, 11, 24, tzinfo=UTC)]
    sessions = Sessions(lambda: now[0])
    short = sessions.begin(ROLE, "short", timedelta(hours=1))
    long = sessions.begin(ROLE, "long", timedelta(hours=12))

    now[0] += timedelta(hours=1) + KEPT
    sessions.begin(ROLE, "next", timedelta(hours=1))

    assert sessions.find(short.principal.access_key_id) is None
    assert sessions.find(long.principal.access_key_id) == long
    assert sessions.has_ended(long)
