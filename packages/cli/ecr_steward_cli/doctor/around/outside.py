"""What the steward reaches beyond its account: roles of connected accounts, registries, and published logins, tried."""

from collections.abc import Iterator, Mapping
from typing import Final

import urllib3

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.schemes import scheme_of
from ecr_steward.adapters.secrets_manager import SecretsManager
from ecr_steward.adapters.state_announcements import StateAnnouncements
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.credentials import StoredSecret, logins_in, plan_sink
from ecr_steward.domain.names import RegistryRef, hosts_in
from ecr_steward.domain.rules import Credential, SecretSink
from ecr_steward.errors import ForeignSecretError, StewardError
from ecr_steward_cli.doctor.around.facts import LoginFact, RulebookFact
from ecr_steward_cli.doctor.asking import Asker
from ecr_steward_cli.doctor.findings import Unread
from ecr_steward_cli.doctor.parts.part import tried
from ecr_steward_cli.regions import is_of_aws

SESSION: Final = "ecr-steward-doctor"
_SHORTEST: Final = 900
"""Seconds that a session of a role lives at least (AssumeRole, STS API reference); doctor makes no call with it."""
_SECONDS: Final = 10.0
_REFUSED: Final = frozenset({401, 403})
"""What ECR answers to a login that it does not know, and to one that has expired."""


def read_spokes(asker: Asker, partition: str, environment: Mapping[str, str]) -> dict[str, Unread | None]:
    """Whether the role of each connected account lets the caller in. Needs sts:AssumeRole on them.

    Needs dynamodb:Query on the state table where accounts announce themselves.
    """
    accounts = set(filter(None, environment.get("ECR_STEWARD_SPOKE_ACCOUNTS", "").split(",")))
    unread: dict[str, Unread | None] = {}
    if environment.get("ECR_STEWARD_SPOKE_ORGANIZATION"):
        table = StateTable(asker.caller.clients, environment["ECR_STEWARD_STATE_TABLE"], utc_now)
        try:
            accounts |= {each.registry.account for each in StateAnnouncements(table, utc_now).noted()}
        except StewardError as error:
            unread["SpokeOrganization"] = Unread(str(error), "allow doctor to read the state table")
    return unread | {account: _spoke(asker, partition, account, environment) for account in sorted(accounts)}


def _spoke(asker: Asker, partition: str, account: str, environment: Mapping[str, str]) -> Unread | None:
    answer = tried(
        lambda: asker.ask(
            "sts.assume_role",
            RoleArn=f"arn:{partition}:iam::{account}:role/{environment['ECR_STEWARD_SPOKE_ROLE']}",
            RoleSessionName=SESSION,
            ExternalId=environment["ECR_STEWARD_EXTERNAL_ID"],
            DurationSeconds=_SHORTEST,
        )
    )
    return None if isinstance(answer, Mapping) else answer or Unread("sts:AssumeRole: there is no such role")


def read_registries(environment: Mapping[str, str]) -> dict[str, str]:
    """By host of each registry that is not ECR's: why it does not answer from here; empty where it does."""
    return {host: _silence(host) for host in hosts_in(environment.get("ECR_STEWARD_OTHER_REGISTRIES", ""))}


def _silence(host: str) -> str:
    try:
        _status(host, {})
    except (urllib3.exceptions.HTTPError, StewardError) as error:
        return type(error).__name__
    return ""


def read_logins(
    asker: Asker, rulebook: RulebookFact | Unread | None, home: RegistryRef
) -> tuple[LoginFact, ...] | Unread:
    """Each published login, tried where it lies. Needs secretsmanager:GetSecretValue and DescribeSecret."""
    if not isinstance(rulebook, RulebookFact):
        return rulebook or ()
    if rulebook.rules is None:
        return Unread("no rulebook is in force")
    secrets = SecretsManager(asker.caller.clients)
    return tuple(
        _login(secrets, credential, sink, home)
        for credential in rulebook.rules.credentials
        for sink in credential.sinks
    )


def _login(secrets: SecretsManager, credential: Credential, sink: SecretSink, home: RegistryRef) -> LoginFact:
    try:
        stored = secrets.read(sink.secret)
    except StewardError as error:
        return LoginFact(credential.name, sink.secret, unread=Unread(str(error), "allow doctor to read the secret"))
    if stored is None or stored.current is None:
        return LoginFact(credential.name, sink.secret, why_wrong="there is no login in it")
    try:  # as old as it was when it was written: what is wrong then is not its age
        step = plan_sink(credential, sink, stored, home=home, now=stored.current.written_at)
    except ForeignSecretError as error:
        return LoginFact(credential.name, sink.secret, why_wrong=str(error))
    age = (utc_now() - stored.current.written_at).total_seconds()
    refused = () if step else tuple(_refusals(sink.secret, stored))
    return LoginFact(credential.name, sink.secret, step.why if step else "", age, refused)


def _refusals(secret: str, stored: StoredSecret) -> Iterator[str]:
    """The registries of ECR that do not take their login. It goes where Docker would send it, and nowhere else."""
    try:
        logins = logins_in(secret, stored)
    except ForeignSecretError:
        return
    for host, login in logins.items():
        if is_of_aws(host) or host.startswith("127.0.0.1:"):
            try:
                status = _status(host, {"Authorization": f"Basic {login.get('auth')}"})
            except (urllib3.exceptions.HTTPError, StewardError) as error:
                yield f"{host} does not answer: {type(error).__name__}"
            else:
                if status in _REFUSED:
                    yield f"{host} refuses it"


def _status(host: str, headers: Mapping[str, str]) -> int:
    url = f"{scheme_of(host)}://{host}/v2/"
    manager = Transport().manager_to(url)
    return manager.request("GET", url, headers=dict(headers), retries=False, timeout=_SECONDS, redirect=False).status
