"""Everything between an event and a function, put together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.delivery import stores
from ecr_steward_sandbox.delivery.activity import Activity, Work
from ecr_steward_sandbox.delivery.dispatch import DEFAULT_RETRY_SECONDS, Dispatcher, Parcel, Sender, payload_for
from ecr_steward_sandbox.delivery.invocations import DEFAULT_RETRY_SECONDS as INVOCATION_RETRY_SECONDS
from ecr_steward_sandbox.delivery.invocations import Invocations
from ecr_steward_sandbox.delivery.ledger import BusEvent, Delivery, Fate, Ledger
from ecr_steward_sandbox.delivery.live import refreshed
from ecr_steward_sandbox.delivery.put_events import accept_entries
from ecr_steward_sandbox.delivery.queues import DEFAULT_REDELIVERY_SECONDS, LONGEST_WINDOW_SECONDS, QueuePoller
from ecr_steward_sandbox.delivery.schedules import Timetable, parcel_of
from ecr_steward_sandbox.delivery.wiring import FunctionConfig, Wiring
from ecr_steward_sandbox.workers.pool import WorkerPool

ROUTING_THREADS = 8


@dataclass(frozen=True)
class ClockMoved:
    """What happened when the clock was moved. Schedules are named by logical id."""

    now: datetime
    fired: Sequence[str]  # schedules that came due meanwhile, each once
    expired_items: int  # of DynamoDB tables, whose time to live was over


class DeliveryEngine:
    """Buses, rules, queues, schedules and functions of one wiring. close() ends every thread and process."""

    def __init__(
        self,
        wiring: Wiring,
        start_pool: Callable[[FunctionConfig], WorkerPool],
        *,
        ledger: Ledger | None = None,
        retry_seconds: float = DEFAULT_RETRY_SECONDS,
        invocation_retry_seconds: float = INVOCATION_RETRY_SECONDS,
        redelivery_seconds: float | None = DEFAULT_REDELIVERY_SECONDS,
        longest_window_seconds: float = LONGEST_WINDOW_SECONDS,
        elsewhere: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`elsewhere` names what is under way outside of the engine and may put events; it is waited for as well.

        The times stand for what AWS makes minutes or hours: before a delivery is tried again, before a function is,
        before a failed message is received again (None: as at AWS), and for which a batch is collected at most.
        """
        self.wiring = wiring
        self.timetable = Timetable(wiring.schedules, datetime.now(UTC))
        self._refreshing = threading.Lock()
        self._moving = threading.Lock()
        self._elsewhere = elsewhere
        self.activity = Activity()
        self.ledger = ledger or Ledger()
        self._work = Work("route", self.activity, ROUTING_THREADS)
        self.invocations = Invocations(
            self._wiring,
            self.activity,
            self.ledger,
            start_pool=start_pool,
            put_event=self.put,
            queue_changed=self.queues_changed,
            retry_seconds=invocation_retry_seconds,
        )
        self.dispatcher = Dispatcher(
            self._wiring,
            self._work,
            self.ledger,
            invoke=self.invocations.accept,
            forward=self._forward,
            queue_changed=self.queues_changed,
            retry_seconds=retry_seconds,
        )
        self.pollers = [
            QueuePoller(
                mapping,
                self._wiring,
                self.activity,
                self.invocations,
                queue_changed=self.queues_changed,
                redelivery_seconds=redelivery_seconds,
                longest_window_seconds=longest_window_seconds,
            )
            for mapping in wiring.mappings
        ]
        for poller in self.pollers:
            poller.start()

    def _wiring(self) -> Wiring:
        return self.wiring

    # ---------------------------------------------------------------- events

    def put(self, bus_arn: str, event: Mapping[str, Any], *, is_forwarded: bool = False) -> None:
        """Take an event onto a bus; rules and targets follow in the background."""
        with self.activity.doing("arrival of an event"):
            self.ledger.record(BusEvent(bus_arn, event))
            self._work.submit(
                f"routing of {event.get('detail-type')}", lambda: self._route(bus_arn, event, is_forwarded)
            )

    def _forward(self, parcel: Parcel) -> None:
        """Put on the target what came from another bus; what Scheduler puts there is new to EventBridge."""
        self.put(parcel.target.arn, parcel.event, is_forwarded=parcel.sender is Sender.EVENTBRIDGE)

    def put_from_service(self, account: str, region: str, event: Mapping[str, Any]) -> None:
        """An AWS service (ECR, Inspector, CloudTrail) puts an event on an account's default bus."""
        self.put(self.bus_arn(account, region, "default"), event)

    def put_events(self, request: Mapping[str, Any], *, account: str, region: str) -> dict[str, Any]:
        """The PutEvents API. Raises PutEventsRefusedError. An event for a bus that does not exist is lost."""
        accepted, answer = accept_entries(request, account=account, region=region, now=datetime.now(UTC))
        for one in accepted:
            bus_arn = self.bus_arn(account, region, one.bus)
            if self.wiring.has_bus(bus_arn):
                self.put(bus_arn, one.event)
            else:
                self.ledger.record(
                    Delivery(
                        datetime.now(UTC),
                        "PutEvents",
                        bus_arn,
                        one.event["id"],
                        1,
                        Fate.LOST,
                        "NO_RESOURCE",
                        f"Event bus {one.bus} does not exist.",
                    )
                )
        return answer

    def tick(self, schedule_name: str) -> None:
        """Fire a schedule, with all its targets, now. Raises LookupError or ScheduleDisabledError."""
        schedules = self.wiring.schedules_named(schedule_name)
        if not schedules:
            known = ", ".join(one.logical_id for one in self.wiring.schedules) or "none"
            raise LookupError(f"there is no schedule {schedule_name}; there are: {known}")
        for parcel in [parcel_of(schedule, datetime.now(UTC)) for schedule in schedules]:
            self.dispatcher.dispatch(parcel)

    def fire_due_schedules(self) -> list[str]:
        """Fire every schedule that came due since the last call; their logical ids.

        None while the clock is moved: whoever moves it fires what came due, and says so.
        """
        if not self._moving.acquire(blocking=False):
            return []
        try:
            return self._fire_due_schedules()
        finally:
            self._moving.release()

    def _fire_due_schedules(self) -> list[str]:
        now = datetime.now(UTC)
        due = self.timetable.take_due(now)
        for schedule in due:
            self.dispatcher.dispatch(parcel_of(schedule, now))
        return [schedule.logical_id for schedule in due]

    @staticmethod
    def bus_arn(account: str, region: str, name: str) -> str:
        """ARN of a bus that is given by name or ARN."""
        return name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"

    def _route(self, bus_arn: str, event: Mapping[str, Any], is_forwarded: bool) -> None:
        for rule in self.wiring.rules:
            if rule.bus_arn != bus_arn or not rule.is_enabled or rule.pattern is None:
                continue
            if not rule.hears_reads and _is_read(event):
                continue
            if rule.pattern.matches(event):
                for target in rule.targets:
                    payload = payload_for(target, event)
                    self.dispatcher.dispatch(Parcel(Sender.EVENTBRIDGE, rule.arn, target, event, payload, is_forwarded))

    # ---------------------------------------------------------------- rest

    def refresh_wiring(self) -> None:
        """Take over what was changed by API. One at a time: an older view must not replace a newer one."""
        with self._refreshing:
            self.wiring = refreshed(self.wiring)

    def update_function(self, config: FunctionConfig) -> None:
        """Run a function with another configuration or Lambda layer from now on; invocations under way finish."""
        with self._refreshing:
            self.wiring = replace(self.wiring, functions={**self.wiring.functions, config.arn: config})
        self.invocations.restart(config)

    def move_clock(self, clock: SandboxClock, by: timedelta, timeout: float) -> ClockMoved:
        """Let so much time pass at once, like a machine that slept: what came due meanwhile happens once, now.

        First all that is under way ends, async retries among it; a message that is delayed or in somebody's hands may
        wait on. Then, while nothing can begin, the clock is moved and workers are replaced by ones that live in the new
        time. Then items whose time to live is over are deleted, messages whose delay or visibility timeout is over are
        received, and each schedule that came due fires. What follows is under way when this returns. Raises ClockError,
        TimeoutError or SandboxCrashError; then the clock was not moved.
        """
        if not self._moving.acquire(timeout=timeout):
            raise TimeoutError(f"somebody else has been moving the clock for {timeout:g} s")
        try:
            return self._move_clock(clock, by, timeout)
        finally:
            self._moving.release()

    def _move_clock(self, clock: SandboxClock, by: timedelta, timeout: float) -> ClockMoved:
        self.activity.wait_until_idle(
            timeout,
            lambda: [*self._elsewhere(), *(what for poller in self.pollers for what in poller.arriving())],
            then=lambda: self.invocations.restart_all(lambda: clock.move(by)),
        )
        expired = stores.drop_expired_items(clock.now)
        stores.drop_old_messages()
        self.queues_changed()
        fired = self._fire_due_schedules()
        return ClockMoved(clock.now, fired, expired)

    def queues_changed(self) -> None:
        """Messages may have come into a queue, or may be received again."""
        for poller in self.pollers:
            poller.wake()

    def wait_until_idle(self, timeout: float) -> None:
        """Return when no event, message or invocation is under way. Raises TimeoutError or SandboxCrashError."""
        self.activity.wait_until_idle(
            timeout, lambda: [*self._elsewhere(), *(what for poller in self.pollers for what in poller.waiting())]
        )

    def problems(self) -> list[str]:
        """What of the wiring can never deliver: a mapping, a target, a schedule, a destination or a dead-letter queue
        that is missing or may not be reached. Nothing is sent to find out.
        """
        wiring = self.wiring
        parcels = [
            (f"target {target.id} of rule {rule.name}", Parcel(Sender.EVENTBRIDGE, rule.arn, target, {}, ""))
            for rule in wiring.rules
            for target in rule.targets
        ]
        for schedule in wiring.schedules:
            sender = Sender.EVENTBRIDGE if schedule.from_rule else Sender.SCHEDULER
            parcels.append((f"schedule {schedule.logical_id}", Parcel(sender, schedule.arn, schedule.target, {}, "")))
        found = [f"{who}: {why}" for who, parcel in parcels for why in self.dispatcher.obstacles(parcel)]
        for config in wiring.functions.values():
            found += [f"destination of {config.logical_id}: {why}" for why in self.invocations.obstacles(config)]
        for poller in self.pollers:
            if missing := poller.missing_permissions:
                found.append(f"{poller.mapping.id} cannot poll: the role of its function lacks {', '.join(missing)}")
            if not stores.exists(poller.mapping.queue_arn):
                found.append(f"{poller.mapping.id} cannot poll: {poller.mapping.queue_arn} does not exist")
        return list(dict.fromkeys(found))  # a rule with a schedule is a rule, too, once moto holds it

    def close(self) -> None:
        """Drop what is under way; end every worker and thread."""
        self.invocations.close()
        for poller in self.pollers:
            poller.close()
        self._work.close()


def _is_read(event: Mapping[str, Any]) -> bool:
    """Whether an event is CloudTrail's record of a call that changes nothing."""
    detail = event.get("detail")
    if event.get("detail-type") != "AWS API Call via CloudTrail" or not isinstance(detail, dict):
        return False
    return detail.get("readOnly") is True
