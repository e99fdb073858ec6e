"""Runs functions: at once for a caller that waits, or later with Lambda's two retries and a failure destination."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from ecr_steward_sandbox.delivery import stores
from ecr_steward_sandbox.delivery.activity import Activity, Work
from ecr_steward_sandbox.delivery.dispatch import ACTIONS
from ecr_steward_sandbox.delivery.ledger import Delivery, Fate, Invocation, Ledger
from ecr_steward_sandbox.delivery.wiring import FunctionConfig, Wiring
from ecr_steward_sandbox.workers.pool import MAX_WORKERS, WorkerPool, WorkerPoolClosedError
from ecr_steward_sandbox.workers.worker import Outcome

DEFAULT_RETRY_SECONDS = 0.05  # Lambda waits one minute, then two


class Invocations:
    """Every run of every function goes through here."""

    def __init__(
        self,
        wiring: Callable[[], Wiring],
        activity: Activity,
        ledger: Ledger,
        *,
        start_pool: Callable[[FunctionConfig], WorkerPool],
        put_event: Callable[[str, dict[str, Any]], None],
        queue_changed: Callable[[], None],
        retry_seconds: float = DEFAULT_RETRY_SECONDS,
    ) -> None:
        """`put_event(bus ARN, event)` takes what goes to a destination that is an event bus."""
        self._wiring = wiring
        self._activity = activity
        self._ledger = ledger
        self._put_event = put_event
        self._queue_changed = queue_changed
        self._retry_seconds = retry_seconds
        self._is_closing = False
        configs = wiring().functions.values()
        self._pools = {config.arn: start_pool(config) for config in configs}
        self._work = {config.arn: Work(f"invoke-{config.logical_id}", activity, MAX_WORKERS) for config in configs}

    def run(self, config: FunctionConfig, payload: str, *, request_id: str = "", attempt: int = 1) -> Outcome:
        """Run the function and wait for it. Raises WorkerPoolClosedError when the sandbox is ending."""
        request_id = request_id or str(uuid.uuid4())
        with self._activity.doing(f"invocation of {config.logical_id}"):
            started, clock = datetime.now(UTC), perf_counter()
            outcome = self._pools[config.arn].invoke(payload.encode(), request_id)
            if self._is_closing:
                raise WorkerPoolClosedError(config.logical_id)
            self._ledger.record(
                Invocation(
                    function=config.logical_id,
                    event=json.loads(payload),
                    request_id=request_id,
                    started=started,
                    seconds=perf_counter() - clock,
                    outcome="error" if outcome.is_error else "ok",
                    payload=_document(outcome.payload),
                    log=outcome.log,
                    attempt=attempt,
                )
            )
            return outcome

    def accept(self, function_arn: str, payload: str) -> str:
        """Run the function later, as Lambda does for events. The answer is the request id, the same for all tries."""
        config = self._wiring().function(function_arn)
        if config is None:
            raise LookupError(function_arn)
        request_id = str(uuid.uuid4())
        self._submit(config, payload, request_id, attempt=1, after=0.0)
        return request_id

    @property
    def pids(self) -> list[int]:
        """Process ids of all workers that live."""
        return [pid for pool in self._pools.values() for pid in pool.pids]

    def obstacles(self, config: FunctionConfig) -> list[str]:
        """Which destinations of a function can never get anything."""
        found = []
        for target_arn in filter(None, (config.on_failure_arn, config.on_success_arn)):
            if problem := self._missing_permission(config, target_arn):
                found.append(f"{target_arn}: {problem}")
            elif target_arn.split(":")[2] in ("sqs", "sns") and not stores.exists(target_arn):
                found.append(f"{target_arn} does not exist")
        return found

    def restart_all(self, change: Callable[[], object]) -> None:
        """Make a change while no invocation begins; those that begin afterwards get new workers."""
        with contextlib.ExitStack() as stack:
            for pool in self._pools.values():
                stack.enter_context(pool.replaced_workers())
            change()

    def restart(self, config: FunctionConfig) -> None:
        """Run a function as it is configured now; invocations under way finish as they began."""
        self._pools[config.arn].restart(config)

    def close(self) -> None:
        """Kill the workers and drop what waits for one."""
        self._is_closing = True
        for pool in self._pools.values():
            pool.close()
        for work in self._work.values():
            work.close()

    # ---------------------------------------------------------------- asynchronous

    def _submit(self, config: FunctionConfig, payload: str, request_id: str, *, attempt: int, after: float) -> None:
        self._work[config.arn].submit(
            f"event for {config.logical_id}",
            lambda: self._run_later(config, payload, request_id, attempt),
            after=after,
        )

    def _run_later(self, config: FunctionConfig, payload: str, request_id: str, attempt: int) -> None:
        try:
            outcome = self.run(config, payload, request_id=request_id, attempt=attempt)
        except WorkerPoolClosedError:
            return  # the sandbox is ending; this task was under way
        if outcome.is_error and attempt <= config.retries:
            self._submit(config, payload, request_id, attempt=attempt + 1, after=self._retry_seconds)
        elif outcome.is_error:
            self._failed(config, payload, request_id, attempt, outcome)
        elif config.on_success_arn is not None:
            record = _destination_record(config, payload, request_id, attempt, outcome)
            self._send(config, config.on_success_arn, record, request_id, attempt)

    def _failed(self, config: FunctionConfig, payload: str, request_id: str, attempt: int, outcome: Outcome) -> None:
        if config.on_failure_arn is not None:
            record = _destination_record(config, payload, request_id, attempt, outcome)
            self._send(config, config.on_failure_arn, record, request_id, attempt)
        else:
            self._record(config, "", request_id, attempt, "the function has no failure destination")

    def _send(self, config: FunctionConfig, target_arn: str, document: Any, request_id: str, attempt: int) -> None:
        """Send as the function's role. What it may not, or what has gone, is lost; Lambda does not try again."""
        service = target_arn.split(":")[2]
        if problem := self._missing_permission(config, target_arn):
            self._record(config, target_arn, request_id, attempt, problem)
            return
        body = json.dumps(document)
        try:
            match service:
                case "sqs":
                    stores.send_message(target_arn, body)
                case "sns":
                    stores.publish(target_arn, body)
                case "lambda":
                    self.accept(target_arn, body)
                case _:
                    self._put_event(target_arn, _destination_event(config, document))
        except (stores.NoSuchResourceError, stores.RefusedError, LookupError) as error:
            self._record(config, target_arn, request_id, attempt, f"{type(error).__name__}: {error}")
        else:
            self._queue_changed()
            self._record(config, target_arn, request_id, attempt, "")

    def _missing_permission(self, config: FunctionConfig, target_arn: str) -> str | None:
        action = ACTIONS[target_arn.split(":")[2]]
        if self._wiring().role_may(config.role_arn, action, target_arn):
            return None
        return f"{config.role_arn} is not allowed to {action}"

    def _record(self, config: FunctionConfig, target_arn: str, request_id: str, attempt: int, problem: str) -> None:
        fate = Fate.LOST if problem else Fate.DELIVERED
        code = "DESTINATION_FAILED" if problem else ""
        self._ledger.record(
            Delivery(datetime.now(UTC), config.arn, target_arn, request_id, attempt, fate, code, problem)
        )


def _destination_record(
    config: FunctionConfig, payload: str, request_id: str, attempt: int, outcome: Outcome
) -> dict[str, Any]:
    """Lambda developer guide, "Capturing records of Lambda asynchronous invocations"."""
    context = {"statusCode": 200, "executedVersion": "$LATEST"}
    if outcome.is_error:
        context["functionError"] = "Unhandled"
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{config.arn}:$LATEST",
            "condition": "RetriesExhausted" if outcome.is_error else "Success",
            "approximateInvokeCount": attempt,
        },
        "requestPayload": json.loads(payload),
        "responseContext": context,
        "responsePayload": _document(outcome.payload),
    }


def _destination_event(config: FunctionConfig, record: dict[str, Any]) -> dict[str, Any]:
    condition = "Failure" if record["requestContext"]["condition"] != "Success" else "Success"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": f"Lambda Function Invocation Result - {condition}",
        "source": "lambda",
        "account": config.account,
        "time": record["timestamp"],
        "region": config.region,
        "resources": [config.arn],
        "detail": record,
    }


def _document(payload: bytes) -> Any:
    """An answer as JSON; what is no JSON (a custom runtime could send it) as text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
