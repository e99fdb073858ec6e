"""What the steward reaches beyond its account, and whether AWS answered doctor at all."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from ecr_steward.domain.credentials import DUE_AFTER
from ecr_steward_cli.doctor.around.facts import LoginFact
from ecr_steward_cli.doctor.checks.check import Asks, Check
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Status, Unread, unread

LATE: Final = DUE_AFTER + timedelta(hours=4)
"""The age from which a login is a problem: it was due for two refreshes of every two hours."""


def _wrong(check: Asks, subject: str, message: str) -> Finding:
    return Finding(check.id, Status.PROBLEM, subject, message, check.do)


def _spokes(check: Asks, facts: Facts) -> Iterator[Finding]:
    for account, refusal in facts.around.spokes.items():
        if refusal is not None:
            yield Finding(check.id, Status.NOT_LOOKED_AT, account, refusal.reason, check.do)


def _logins(facts: Facts) -> tuple[LoginFact, ...]:
    return () if isinstance(facts.around.logins, Unread) else facts.around.logins


def _published(check: Asks, facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.around.logins, Unread):
        yield unread(check.id, "rulebook", facts.around.logins)
    for login in _logins(facts):
        if login.unread is not None:
            yield unread(check.id, login.secret, login.unread)
        elif login.why_wrong:
            yield _wrong(check, login.secret, f"credential {login.credential}: {login.why_wrong}")
        elif login.age_seconds is not None and login.age_seconds >= LATE.total_seconds():
            hours = login.age_seconds / 3600
            yield _wrong(check, login.secret, f"credential {login.credential}: its login is {hours:.1f} hours old")


def _accepted(check: Asks, facts: Facts) -> Iterator[Finding]:
    for login in _logins(facts):
        for refusal in login.refused_by:
            yield _wrong(check, login.secret, f"credential {login.credential}: {refusal}")


def _registries(check: Asks, facts: Facts) -> Iterator[Finding]:
    for host, silence in facts.around.registries.items():
        if silence:
            yield _wrong(check, host, f"it does not answer: {silence}")


def _endpoints(check: Asks, facts: Facts) -> Iterator[Finding]:
    for service, silence in facts.endpoints.items():
        if silence:
            yield _wrong(check, service, silence)


CHECKS: tuple[Check, ...] = (
    Asks(
        "spoke-role",
        "the role in each connected account lets doctor's caller in. The template's trusts functions alone: then it is "
        "not looked at",
        "the functions' logs say whether it lets them in: docs/accounts.md. To try it from here, allow it in its trust "
        "policy and in the caller's own policy",
        _spokes,
        lambda facts: list(facts.around.spokes),
    ),
    Asks(
        "login-published",
        f"the secret of each sink holds a login that the rulebook asks for, of less than {LATE // timedelta(hours=1)} "
        "hours",
        "look into the log of refresh_credentials; its next run, or an invocation by hand, writes the secret",
        _published,
        _logins,
    ),
    Asks(
        "login-accepted",
        "each published login, tried where it lies: the registry takes it",
        "delete the secret's current version or the secret, and let refresh_credentials run: docs/credentials.md",
        _accepted,
        _logins,
    ),
    Asks(
        "registry-reachable",
        "each registry of the parameter OtherRegistries answers, from where doctor runs",
        "look for a name that is wrong, or a network that does not lead there",
        _registries,
        lambda facts: list(facts.around.registries),
    ),
    Asks(
        "endpoint-reachable",
        "each service of AWS that doctor asks answers, from where doctor runs",
        "look at the network, the proxy and AWS_ENDPOINT_URL; what the service has was not looked at",
        _endpoints,
        lambda facts: list(facts.endpoints),
    ),
)
