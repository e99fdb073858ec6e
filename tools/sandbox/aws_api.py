"""The AWS API of the sandbox, ECR aside: events and invocations are our own, everything else is moto's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote

from local_ecr import Credential, Principal, Request, RequestLog
from sandbox.access import Access
from sandbox.api_calls import ApiCall, HttpRequest, read_call
from sandbox.delivery.deployed import UnsupportedWiringError, target_of
from sandbox.delivery.engine import DeliveryEngine
from sandbox.delivery.patterns import InvalidPatternError, Pattern
from sandbox.delivery.put_events import PutEventsRefusedError
from sandbox.delivery.wiring import FunctionConfig
from sandbox.deploy import stop_moto_deliveries
from sandbox.moto_gateway import HttpAnswer, MotoGateway
from sandbox.principals import Principals
from sandbox.workers.pool import WorkerPoolClosedError

LOG_TAIL_BYTES = 4096  # of an invocation's log, for LogType=Tail


class AwsApi:
    """Answers API calls and logs each."""

    def __init__(
        self,
        *,
        engine: DeliveryEngine,
        gateway: MotoGateway,
        principals: Principals,
        access: Access,
        requests: RequestLog,
        region: str,
    ) -> None:
        self._engine = engine
        self._access = access
        self._gateway = gateway
        self._principals = principals
        self._requests = requests
        self._region = region
        self._own: Mapping[tuple[str, str], Callable[[HttpRequest, ApiCall, Principal], HttpAnswer]] = {
            ("events", "PutEvents"): self._put_events,
            ("events", "TestEventPattern"): self._test_event_pattern,
            ("lambda", "Invoke"): self._invoke,
            ("lambda", "InvokeAsync"): self._invoke,
        }

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request. Blocks for as long as an invocation or a long poll takes."""
        call = read_call(request, self._region)
        principal = self._principals.of(Credential(call.access_key_id))
        own = self._own.get((call.service, call.operation))
        if own is not None:
            answer = own(request, call, principal)
        elif refusal := self._access.refuse(request, call, principal) or _undeliverable(request, call):
            answer = refusal
        else:
            answer = self._gateway.answer(request, call, principal.account)
            self._follow(call, principal)
        self._requests.record(
            Request(
                time=datetime.now(UTC),
                service=call.service,
                operation=call.operation,
                account=principal.account,
                region=call.region,
                principal=principal.arn,
                mutating=call.is_mutating,
                status=answer.status,
                user_agent=request.headers.get("user-agent", ""),
            )
        )
        return answer

    def _follow(self, call: ApiCall, principal: Principal) -> None:
        """What the delivery must know of after moto has stored something."""
        if not call.is_mutating or call.service not in ("events", "lambda", "sqs", "sns"):
            return
        if call.service in ("events", "lambda"):
            stop_moto_deliveries(principal.account, call.region)
        if call.operation not in ("SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "Publish"):
            self._engine.refresh_wiring()
        self._engine.queues_changed()

    # ---------------------------------------------------------------- events

    def _put_events(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        document = json.loads(request.body)
        for name in {entry.get("EventBusName") or "default" for entry in document.get("Entries") or []}:
            bus_arn = self._engine.bus_arn(principal.account, call.region, name)
            if refusal := self._refusal(principal, "events:PutEvents", bus_arn):
                return refusal
        try:
            answer = self._engine.put_events(document, account=principal.account, region=call.region)
        except PutEventsRefusedError as error:
            return HttpAnswer.error(400, error.code, str(error))
        return HttpAnswer.json(200, answer)

    def _test_event_pattern(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        document = json.loads(request.body)
        try:
            pattern = Pattern.parse(json.loads(document.get("EventPattern", "")))
            event = json.loads(document.get("Event", ""))
        except InvalidPatternError as error:
            return HttpAnswer.error(400, "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}")
        except ValueError as error:
            return HttpAnswer.error(400, "InvalidEventPatternException", f"Event or pattern is not valid JSON: {error}")
        return HttpAnswer.json(200, {"Result": pattern.matches(event)})

    # ---------------------------------------------------------------- functions

    def _invoke(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        name = unquote(request.path.split("/functions/", 1)[1].split("/", 1)[0])
        config = self._engine.wiring.function(name)
        if config is None or (name.startswith("arn:") is False and config.region != call.region):
            arn = f"arn:aws:lambda:{call.region}:{principal.account}:function:{name}"
            return HttpAnswer.json(
                404,
                {"Type": "User", "Message": f"Function not found: {arn}"},
                {"x-amzn-ErrorType": "ResourceNotFoundException"},
            )
        if refusal := self._refusal(principal, "lambda:InvokeFunction", config.arn):
            return refusal
        payload = request.body.decode(errors="replace") or "{}"
        try:
            json.loads(payload)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            return HttpAnswer.error(400, "InvalidRequestContentException", message)
        match "Event" if call.operation == "InvokeAsync" else request.headers.get("x-amz-invocation-type"):
            case "DryRun":
                return HttpAnswer(204, (), b"")
            case "Event":
                self._engine.invocations.accept(config.arn, payload)
                return HttpAnswer(202, (), b"")
        return self._run(config, payload, wants_log=request.headers.get("x-amz-log-type") == "Tail")

    def _run(self, config: FunctionConfig, payload: str, *, wants_log: bool) -> HttpAnswer:
        try:
            outcome = self._engine.invocations.run(config, payload)
        except WorkerPoolClosedError:
            return HttpAnswer.error(503, "ServiceUnavailableException", "The sandbox is ending.")
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if outcome.is_error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if wants_log:
            headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log.encode()[-LOG_TAIL_BYTES:]).decode()
        return HttpAnswer(200, tuple(headers.items()), outcome.payload)

    def _refusal(self, principal: Principal, action: str, resource_arn: str) -> HttpAnswer | None:
        refusal = self._access.refusal(principal, action, resource_arn)
        if refusal is None:
            return None
        return HttpAnswer.error(400 if action.startswith("events:") else 403, "AccessDeniedException", refusal)


def _undeliverable(request: HttpRequest, call: ApiCall) -> HttpAnswer | None:
    """Refuse a rule that moto would store and the sandbox could not deliver by."""
    if call.service != "events" or call.operation not in ("PutRule", "PutTargets"):
        return None
    document = json.loads(request.body)
    try:
        if pattern := document.get("EventPattern"):
            Pattern.parse(json.loads(pattern))
    except ValueError as error:
        return HttpAnswer.error(400, "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}")
    try:
        for target in document.get("Targets") or []:
            target_of(target)
    except UnsupportedWiringError as error:
        return HttpAnswer.error(400, "ValidationException", str(error))
    return None
