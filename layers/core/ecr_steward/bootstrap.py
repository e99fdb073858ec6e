"""Wires ports to adapters. The only reader of the environment; built once per cold start, on first use."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Self

from ecr_steward.adapters import limits
from ecr_steward.adapters.clients import ADAPTIVE, PATIENT, AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.connected_accounts import NO_ACCOUNTS, AnnouncedAccounts, NamedAccounts
from ecr_steward.adapters.counting import count
from ecr_steward.adapters.ecr_backfills import EcrBackfills
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.adapters.event_bus import EventBusHints, EventBusNotices
from ecr_steward.adapters.limiter import Limiter
from ecr_steward.adapters.native_replication import EcrNativeCopies
from ecr_steward.adapters.registry_content import RegistryContent
from ecr_steward.adapters.role_logins import RoleLogins
from ecr_steward.adapters.roles import Accounts
from ecr_steward.adapters.s3_rulebook import S3Rulebook
from ecr_steward.adapters.secrets_manager import SecretsManager
from ecr_steward.adapters.session_policies import session_policy
from ecr_steward.adapters.sqs_queues import SqsFailureQueue, SqsReplicationQueue, SqsSourceQueue, SqsSweepQueue
from ecr_steward.adapters.state_announcements import StateAnnouncements
from ecr_steward.adapters.state_backfills import StateBackfills
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_contents import StateContents
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_leases import StateLeases
from ecr_steward.adapters.state_own_tags import StateOwnTags
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_revisions import StateRevisions
from ecr_steward.adapters.state_rule_sets import StateRuleSets
from ecr_steward.adapters.state_rulebook import StateRulebook
from ecr_steward.adapters.state_seen_settings import StateSeenSettings
from ecr_steward.adapters.state_sightings import StateSightings
from ecr_steward.adapters.state_sweep_parts import StateSweepParts
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.adapters.state_verdicts import StateVerdicts
from ecr_steward.adapters.transport import Transport
from ecr_steward.adapters.workloads import AwsWorkloads
from ecr_steward.domain.callers import OwnRoles
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.names import ImageRef, RegistryRef, hosts_in
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.observations import Push, RegistryChanged, RepositoryChanged
from ecr_steward.domain.outcome import CredentialOutcome, Outcome, SweepOutcome
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.rules import Rules
from ecr_steward.domain.sweeping import SweepPart, interval_of
from ecr_steward.errors import StewardError
from ecr_steward.events.own import encode_notice
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.events.repository_pushed import encode_repository_pushed
from ecr_steward.events.sweep_part import encode_part
from ecr_steward.ports.accounts import Announcements, ConnectedAccounts
from ecr_steward.ports.backfills import Backfills, StartedBackfills
from ecr_steward.ports.brakes import Brakes
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.contents import Contents
from ecr_steward.ports.credentials import Logins, Secrets
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.leases import Leases
from ecr_steward.ports.messages import FailureQueue, Hints, Notices, ReplicationQueue, SourceQueue, SweepQueue
from ecr_steward.ports.native_replication import NativeCopies
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.rule_sets import RuleSets
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.seen_settings import SeenSettings
from ecr_steward.ports.sightings import Sightings
from ecr_steward.ports.stores import ImageContent
from ecr_steward.ports.sweep_parts import SweepParts
from ecr_steward.ports.switch import Switch
from ecr_steward.ports.verdicts import Verdicts
from ecr_steward.ports.workloads import Workloads
from ecr_steward.rulebook.bounds import Bounds
from ecr_steward.rulebook.limits import LARGEST_COMPILED
from ecr_steward.rulebook.load import load_compiled, parse_compiled
from ecr_steward.rulebook.trust import trusted_in
from ecr_steward.usecases.answer_push import answer_push
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.backfilling import Backfilling
from ecr_steward.usecases.current_rules import CurrentRules
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import OwnPuts, enforce_image_tags
from ecr_steward.usecases.evaluate_image_scan import ScanBatch
from ecr_steward.usecases.govern_registry import apply_registry_settings
from ecr_steward.usecases.leasing import Lessor
from ecr_steward.usecases.moving import BLOB_WORKERS, LAST_SECONDS, Pace
from ecr_steward.usecases.note_announcement import note_announcement as note_it
from ecr_steward.usecases.reconcile_registry import cut_sweep, quiet_registries, sweep_part
from ecr_steward.usecases.refresh_credentials import refresh_credentials
from ecr_steward.usecases.replicate_image import replicate_image
from ecr_steward.usecases.replicate_job import replicate_job
from ecr_steward.usecases.retain_images import note_push
from ecr_steward.usecases.seen_settings import SettingsMemory
from ecr_steward.usecases.sweep_repository import Hands

LISTING_WORKERS = 16
"""Registries that are listed at a time when a sweep is cut: each is of another account, with quotas of its own."""
SWEEP_WORKERS = 8
"""Repositories that one invocation sweeps at a time: it waits for ECR most of the time."""
SWEEPING = "reconcile_registry"
"""The function that asks much of ECR at once."""
PULL_ONLY = "pull-only"
"""The rulebook's word for the role that the templates bring along."""


@dataclass(frozen=True)
class Settings:
    """What the template tells a function through its environment."""

    rulebook: Path
    rulebook_object: tuple[str, str] | None
    """Bucket and key of a rulebook that counts instead."""
    metrics_namespace: str
    event_bus: str
    idempotency_table: str
    state_table: str
    failure_queue_url: str
    accounts: Accounts
    secret_prefix: str | None
    """What the names of secrets begin with that may be written."""
    secret_key: str | None
    """ARN of the KMS key that secrets are created with; ``None`` means AWS's own key."""
    pull_only_role: str | None
    """Name of the role, here and in connected accounts, that published logins speak as."""
    replicate_queue_url: str | None
    """Where the sweep puts copy jobs, and a copy job what is left of it."""
    sweep_queue_url: str | None
    """Where the parts of a sweep go."""
    source_queue_url: str | None
    """Where the messages come from that this function is invoked with."""

    role_path: str | None = None
    """Of the roles that the functions act as."""
    region: str | None = None
    """Where the function runs, whose registries are swept."""
    sweep_schedule: str = "rate(1 hour)"
    """When they are."""
    template_role: str | None = None
    """What the names of roles begin with that creation templates may name."""
    other_registries: Mapping[str, str | None] = field(default_factory=dict)
    """Hosts of registries that are not ECR's, which images may be copied to, and their token servers."""

    copy_jobs: int = 5
    """Copy jobs at a time: the ``MaximumConcurrency`` of their queue. Each puts its share of images a second."""
    trusted_principals: str = ""
    """Accounts and organizations, separated by commas, that policies and ECR's own replication may name; empty: any."""
    named: NamedAccounts = NO_ACCOUNTS
    """The accounts that the template names."""
    spoke_organization: str | None = None
    """Id of the organization whose accounts are connected when they announce themselves."""

    @property
    def own_roles(self) -> OwnRoles | None:
        """By which the steward knows what it did itself, where the template says so; in no connected account yet."""
        of = self.accounts
        return OwnRoles(of.own, self.role_path, spoke_role=of.spoke_role) if self.role_path else None

    @property
    def bounds(self) -> Bounds:
        """What a rulebook may name. An account that is not connected fails what is about it, and nothing else."""
        return Bounds(
            secret_prefix=self.secret_prefix,
            pull_only_role=self.pull_only_role,
            template_role=self.template_role,
            trusted=trusted_in(self.trusted_principals, self.named.accounts, self.spoke_organization),
            own_account=self.accounts.own,
        )

    @property
    def home(self) -> RegistryRef | None:
        """The registry of our own account where the function runs."""
        return RegistryRef(self.accounts.own, self.region) if self.region else None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the variables that ``template.yaml`` sets.

        Raises KeyError for one that is missing, and for an unknown function.
        """
        function = env["POWERTOOLS_SERVICE_NAME"]
        named = NamedAccounts(frozenset(filter(None, env["ECR_STEWARD_SPOKE_ACCOUNTS"].split(","))))
        return cls(
            rulebook=Path(env.get("ECR_STEWARD_RULEBOOK", "/opt/rulebook.json")),
            rulebook_object=(bucket, env["ECR_STEWARD_RULEBOOK_KEY"])
            if (bucket := env.get("ECR_STEWARD_RULEBOOK_BUCKET"))
            else None,
            metrics_namespace=env.get("POWERTOOLS_METRICS_NAMESPACE", "EcrSteward"),
            secret_prefix=env.get("ECR_STEWARD_SECRET_PREFIX"),
            event_bus=env["ECR_STEWARD_EVENT_BUS"],
            idempotency_table=env["ECR_STEWARD_IDEMPOTENCY_TABLE"],
            state_table=env["ECR_STEWARD_STATE_TABLE"],
            failure_queue_url=env["ECR_STEWARD_FAILURE_QUEUE_URL"],
            accounts=Accounts(
                own=env["ECR_STEWARD_ACCOUNT"],
                connected=named,
                spoke_role=env["ECR_STEWARD_SPOKE_ROLE"],
                external_id=env["ECR_STEWARD_EXTERNAL_ID"],
                session_name=function,
                session_policy=session_policy(function),
            ),
            secret_key=env.get("ECR_STEWARD_SECRET_KEY") or None,
            pull_only_role=env.get("ECR_STEWARD_PULL_ONLY_ROLE"),
            replicate_queue_url=env.get("ECR_STEWARD_REPLICATE_QUEUE_URL"),
            sweep_queue_url=env.get("ECR_STEWARD_SWEEP_QUEUE_URL"),
            source_queue_url=env.get("ECR_STEWARD_SOURCE_QUEUE_URL"),
            role_path=env.get("ECR_STEWARD_ROLE_PATH"),
            region=env.get("AWS_REGION"),
            sweep_schedule=env.get("ECR_STEWARD_SWEEP_SCHEDULE", cls.sweep_schedule),
            template_role=env.get("ECR_STEWARD_TEMPLATE_ROLE_PREFIX"),
            other_registries=hosts_in(env["ECR_STEWARD_OTHER_REGISTRIES"]),
            copy_jobs=int(env.get("ECR_STEWARD_COPY_JOBS", cls.copy_jobs)),
            trusted_principals=env["ECR_STEWARD_TRUSTED_PRINCIPALS"],
            named=named,
            spoke_organization=env["ECR_STEWARD_SPOKE_ORGANIZATION"] or None,
        )


@dataclass(frozen=True)
class App:
    """The jobs, with the rules and ports that they need. Tests fill it with fakes."""

    rules: Rules
    registry: Registry
    registry_settings: RegistrySettingsStore
    content: ImageContent
    notices: Notices
    queue: ReplicationQueue
    sweep_queue: SweepQueue
    sweep_parts: SweepParts
    scans: Scans
    logins: Logins
    secrets: Secrets
    now: Clock
    switch: Switch
    brakes: Brakes
    journal: Journal
    leases: Leases
    own_tags: OwnTags
    seen_settings: SeenSettings
    """By what ``apply_repository_policies`` has found."""
    copied_settings: SeenSettings
    """By what copies have found: observed rules say nothing there."""
    hints: Hints
    who: str
    """Whom the journal names: this function."""
    connected: ConnectedAccounts = NO_ACCOUNTS
    """Other accounts whose registries are kept."""
    announcements: Announcements | None = None
    """What is noted of self-checks, where accounts announce themselves."""
    roles: OwnRoles | None = None
    """The functions' own, and the name of those that they act as in connected accounts."""
    home: RegistryRef | None = None
    """Our own registry where the function runs."""
    sweeps_every: timedelta = timedelta(hours=1)
    """How often they are."""
    sightings: Sightings | None = None
    missed: Sightings | None = None
    workloads: Workloads | None = None
    native_copies: NativeCopies | None = None
    backfills: Backfills | None = None
    started_backfills: StartedBackfills | None = None
    rule_sets: RuleSets | None = None
    verdicts: Verdicts | None = None
    contents: Contents | None = None
    deadline: Deadline = NEVER
    """When the invocation that this is made for has to have ended."""

    @property
    def homes(self) -> tuple[RegistryRef, ...]:
        """The registries that are swept, here and in connected accounts, from which others have their replicas."""
        return self._homes_beside(self.home) if self.home else ()

    def _homes_beside(self, home: RegistryRef) -> tuple[RegistryRef, ...]:
        accounts = sorted(self.connected.all() - {home.account})
        return (home, *(RegistryRef(account, home.region) for account in accounts))

    @property
    def own_roles(self) -> OwnRoles | None:
        """By which the steward knows what it did itself."""
        return replace(self.roles, spoke_accounts=self.connected.all()) if self.roles else None

    def enforce_image_tags(self, push: Push) -> Outcome:
        """See ``usecases.answer_push``."""
        rules, pause = self._obeyed()

        def enforce(image: ImageRef) -> Outcome:
            return enforce_image_tags(
                image,
                rules=rules,
                registry=self.registry,
                describer=Describer(self.registry, self.content, self.now),
                notices=self.notices,
                applier=self.applier,
                own_puts=OwnPuts(self.own_tags, self.now),
            )

        try:
            outcome = answer_push(
                push,
                rules=rules,
                enforce=enforce,
                own_tags=self.own_tags,
                memory=SettingsMemory(rules, self.seen_settings, self.now),
                hints=self.hints,
                queue=self.queue,
            )
        except StewardError as error:
            try:
                self._note(push)
            except StewardError as beside:  # whether the job is tried again is up to its own error
                error.add_note(f"beside it: {beside}")
            raise
        self._note(push)
        return _while_paused(outcome, pause)

    def _note(self, push: Push) -> None:
        """A push is a sign of life, whatever came of it."""
        if self.sightings is not None:
            note_push(push, rules=self.rules, sightings=self.sightings)

    def apply_repository_policies(self, change: RepositoryChanged) -> tuple[Outcome, ...]:
        """See ``usecases.apply_repository_policies``."""
        rules, pause = self._obeyed()
        outcomes = apply_repository_policies(
            change,
            rules=rules,
            registry=self.registry,
            applier=self.applier,
            own_roles=self.own_roles,
            homes=self.homes,
            rule_sets=self.rule_sets,
            memory=SettingsMemory(rules, self.seen_settings, self.now),
        )
        return tuple(_while_paused(outcome, pause) for outcome in outcomes)

    def apply_registry_settings(self, change: RegistryChanged) -> tuple[Outcome, ...]:
        """See ``usecases.govern_registry``."""
        rules, pause = self._obeyed()
        outcomes = apply_registry_settings(
            change,
            rules=rules,
            settings=self.registry_settings,
            applier=self.applier,
            own_roles=self.own_roles,
            backfilling=Backfilling(self.now, started=self.started_backfills),  # the sweep starts them
        )
        return tuple(_while_paused(outcome, pause) for outcome in outcomes)

    def replicate_image(self, job: ReplicationRequested) -> tuple[Outcome, ...]:
        """See ``usecases.replicate_job``."""
        rules, pause = self._obeyed()

        def copy(asked: ReplicationRequested, pace: Pace) -> tuple[Outcome, ...]:
            return replicate_image(
                asked.image,
                rules=rules,
                registry=self.registry,
                content=self.content,
                scans=self.scans,
                notices=self.notices,
                now=self.now,
                applier=self.applier.at_pace(pace),
                lessor=Lessor(self.leases, self.deadline.seconds_left()),
                turn=asked.hops,
                told=asked.told,
                withdraws_only=asked.is_withdrawal,
                is_deep=asked.is_deep,
                after=asked.after,
                homes=self.homes,
                memory=SettingsMemory(rules, self.copied_settings, self.now),
            )

        outcomes = replicate_job(job, copy=copy, queue=self.queue, deadline=self.deadline)
        return tuple(_while_paused(outcome, pause) for outcome in outcomes)

    def scan_batch(self) -> ScanBatch:
        """See ``usecases.evaluate_image_scan``: one for each batch of messages."""
        return ScanBatch(
            rules=self.rules,
            registry=self.registry,
            scans=self.scans,
            notices=self.notices,
            now=self.now,
            verdicts=self.verdicts,
        )

    def cut_sweep(self, home: RegistryRef, sweep: str) -> SweepOutcome:
        """See ``usecases.reconcile_registry``: here and in every connected account, in the region of the schedule."""
        found = cut_sweep(
            self._homes_beside(home),
            sweep=sweep,
            rules=self.rules,
            registry=self.registry,
            queue=self.sweep_queue,
            under_way=self.sweep_parts,
            deadline=self.deadline,
            workers=LISTING_WORKERS,
        )
        silent = quiet_registries(self.announcements.noted(), self.now()) if self.announcements else ()
        return replace(found, failures=(*found.failures, *silent))

    def sweep_part(self, part: SweepPart) -> SweepOutcome:
        """See ``usecases.reconcile_registry``."""
        rules, pause = self._obeyed()
        found = sweep_part(
            part,
            rules=rules,
            hands=self.hands,
            queue=self.sweep_queue,
            under_way=self.sweep_parts,
            workers=SWEEP_WORKERS,
        )
        return replace(found, outcomes=tuple(_while_paused(outcome, pause) for outcome in found.outcomes))

    @property
    def hands(self) -> Hands:
        """What a sweep reads with and acts with."""
        return Hands(
            registry=self.registry,
            content=self.content,
            scans=self.scans,
            notices=self.notices,
            queue=self.queue,
            now=self.now,
            applier=self.applier,
            settings=self.registry_settings,
            homes=self.homes,
            sightings=self.sightings,
            missed=self.missed,
            sweeps_every=self.sweeps_every,
            workloads=self.workloads,
            native_copies=self.native_copies,
            rule_sets=self.rule_sets,
            verdicts=self.verdicts,
            contents=self.contents,
            deadline=self.deadline,
        )

    @property
    def applier(self) -> Applier:
        """What carries out plans of rules."""
        return Applier(
            registry=self.registry,
            switch=self.switch,
            brakes=self.brakes,
            journal=self.journal,
            notices=self.notices,
            now=self.now,
            who=self.who,
            brake_of=self.rules.brake_of,
            content=self.content,
            settings=self.registry_settings,
            pace=Pace(deadline=self.deadline),
            backfilling=Backfilling(self.now, self.backfills, self.started_backfills),
        )

    def _obeyed(self) -> tuple[Rules, Pause | None]:
        """The rules for a job that changes registries: all of them only observe while everything is paused.

        Other jobs go on: a verdict changes nothing, and a login that is not renewed would lock people out.
        """
        pause = self.switch.paused()
        return (self.rules.observing() if pause else self.rules), pause

    def refresh_credentials(self, home: RegistryRef) -> tuple[CredentialOutcome, ...]:
        """See ``usecases.refresh_credentials``."""
        return refresh_credentials(
            home, rules=self.rules, logins=self.logins, secrets=self.secrets, notices=self.notices, now=self.now
        )


def _while_paused(outcome: Outcome, pause: Pause | None) -> Outcome:
    return replace(outcome, halt=outcome.halt or pause)


def app(deadline: Deadline = NEVER) -> App:
    """The jobs of this function, with the rules as they are at this moment: made anew for each event.

    From now on nothing is asked of AWS, nor of a registry, that may end after the deadline; what would be is an
    OutOfTimeError. Raises InvalidRulebookError, on every call until the rulebook is mended.
    """
    _clients().work_until(deadline)
    made = _house()(current_rules())
    return replace(made, content=made.content.for_job(deadline.before(LAST_SECONDS)), deadline=deadline)


def note_announcement(registry: RegistryRef) -> tuple[Outcome, ...]:
    """See ``usecases.note_announcement``. Needs no rulebook."""
    settings = _settings()
    noting = announcements() if settings.spoke_organization else None
    return note_it(registry, own=settings.accounts.own, announcements=noting)


def current_rules() -> Rules:
    """The rulebook as it is now. Here and nowhere else it is decided where it comes from.

    Whether its rules are obeyed or only observe is not decided here: that says the switch, which ``App`` asks.
    """
    return _rulebook()()


@cache
def _rulebook() -> Callable[[], Rules]:
    """The rulebook of the layer, which lasts as long as the process, or the one in S3."""
    settings, clients = _settings(), _clients()
    if settings.rulebook_object is None:
        rules = load_compiled(settings.rulebook, settings.bounds)
        return lambda: rules
    source = S3Rulebook(clients, *settings.rulebook_object, settings.accounts.own, LARGEST_COMPILED)
    return CurrentRules(
        source,
        partial(parse_compiled, bounds=settings.bounds),
        last_good=StateRulebook(_state_table(), source.place),
        notices=_notices(),
        count_refusal=partial(count, settings.metrics_namespace, "RulebooksRefused"),
        now=utc_now,
    )


@cache
def _house() -> Callable[[Rules], App]:
    """Everything but the rules, which lasts as long as the process."""
    settings, clients = _settings(), _clients()
    table = _state_table()
    limiter = Limiter(rates={"ecr:PutImage": limits.PUTS_A_SECOND / settings.copy_jobs})
    return partial(
        App,
        registry=EcrRegistry(clients, StateReleases(table)),
        registry_settings=EcrRegistrySettings(clients),
        content=RegistryContent(
            clients, Transport(idle=BLOB_WORKERS, limiter=limiter), other_registries=settings.other_registries
        ),
        notices=_notices(),
        queue=replication_queue(),
        sweep_queue=SqsSweepQueue(clients, settings.sweep_queue_url, encode_part),
        sweep_parts=sweep_parts(),
        scans=EcrScans(clients),
        logins=RoleLogins(clients, {PULL_ONLY: settings.pull_only_role} if settings.pull_only_role else {}),
        secrets=SecretsManager(clients, settings.secret_key),
        now=utc_now,
        switch=StateSwitch(table, utc_now),
        brakes=StateBrakes(table, utc_now),
        journal=StateJournal(table, utc_now),
        leases=StateLeases(table, utc_now),
        own_tags=StateOwnTags(table),
        seen_settings=StateSeenSettings(table, "apply"),
        copied_settings=StateSeenSettings(table, "copies"),
        hints=EventBusHints(clients, settings.event_bus, encode_repository_pushed),
        who=settings.accounts.session_name,
        connected=_connected(),
        announcements=announcements() if settings.spoke_organization else None,
        roles=settings.own_roles,
        home=settings.home,
        sweeps_every=interval_of(settings.sweep_schedule),
        sightings=StateSightings(table),
        missed=StateSightings(table, "missed"),
        workloads=AwsWorkloads(clients, settings.accounts.own, _connected(), utc_now, StateRevisions(table, utc_now)),
        native_copies=EcrNativeCopies(clients),
        backfills=EcrBackfills(clients),
        started_backfills=StateBackfills(table),
        rule_sets=StateRuleSets(table),
        verdicts=StateVerdicts(table),
        contents=StateContents(table, utc_now),
    )


@cache
def _notices() -> Notices:
    settings = _settings()
    return EventBusNotices(_clients(), settings.event_bus, settings.idempotency_table, encode_notice)


@cache
def _state_table() -> StateTable:
    return StateTable(_clients(), _settings().state_table, utc_now)


@cache
def replication_queue() -> ReplicationQueue:
    """The queue of copy jobs, for the function that puts jobs there."""
    return SqsReplicationQueue(_clients(), _settings().replicate_queue_url, encode_job)


@cache
def sweep_parts() -> SweepParts:
    """Which parts of sweeps are under way. Needs no rulebook: one that is refused ends a part, too."""
    return StateSweepParts(_state_table(), utc_now)


@cache
def source_queue() -> SourceQueue:
    """The queue that feeds this function, where one does."""
    return SqsSourceQueue(_clients(), _settings().source_queue_url)


@cache
def failure_queue() -> FailureQueue:
    """Where events end that cannot be handled. Needs no rulebook: an invalid one is such an event's reason."""
    return SqsFailureQueue(_clients(), _settings().failure_queue_url)


@cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


@cache
def _clients() -> AwsClients:
    accounts = _settings().accounts
    config = ADAPTIVE if accounts.session_name == SWEEPING else PATIENT
    return AwsClients(config, replace(accounts, connected=_connected()))


@cache
def _connected() -> ConnectedAccounts:
    """The connected accounts. Here and nowhere else it is decided who says which they are."""
    settings = _settings()
    return AnnouncedAccounts(announcements, utc_now, settings.named) if settings.spoke_organization else settings.named


@cache
def announcements() -> Announcements:
    """What is noted of self-checks."""
    return StateAnnouncements(_state_table(), utc_now)
