"""The AWS API of the sandbox, ECR aside: events and invocations are our own, everything else is moto's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote

from ecr_steward_sandbox.access import Access
from ecr_steward_sandbox.account_quotas import AccountQuotas
from ecr_steward_sandbox.api_calls import AmbiguousRequestError, ApiCall, HttpRequest, read_call
from ecr_steward_sandbox.delivery.deployed import UnsupportedWiringError, target_of
from ecr_steward_sandbox.delivery.engine import DeliveryEngine
from ecr_steward_sandbox.delivery.patterns import InvalidPatternError, Pattern
from ecr_steward_sandbox.delivery.put_events import PutEventsRefusedError
from ecr_steward_sandbox.delivery.wiring import FunctionConfig
from ecr_steward_sandbox.deploy import Aws, stop_moto_deliveries
from ecr_steward_sandbox.deploy.services.iam import supply_aws_policy
from ecr_steward_sandbox.identity.principals import CredentialRefusedError, Principals
from ecr_steward_sandbox.identity.sts import Sts
from ecr_steward_sandbox.layer_content import LayerContent
from ecr_steward_sandbox.left_out import completed
from ecr_steward_sandbox.moto_gateway import HttpAnswer, MotoGateway
from ecr_steward_sandbox.permissions import function_arn, needs, read_parameters
from ecr_steward_sandbox.recursion import RecursionConfigs
from ecr_steward_sandbox.redeployment import Redeployment
from ecr_steward_sandbox.refusals import credential_refused
from ecr_steward_sandbox.trail import Trails
from ecr_steward_sandbox.workers.pool import WorkerPoolClosedError
from local_ecr import Credential, Principal, Request, RequestLog

LOG_TAIL_BYTES = 4096  # of an invocation's log, for LogType=Tail
MESSAGE_OPERATIONS = frozenset(
    {
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "DeleteMessage",
        "DeleteMessageBatch",
        "Publish",
        "PublishBatch",
        "SendMessage",
        "SendMessageBatch",
    }
)
"""What changes messages, and neither who is connected to what nor who may what."""


class AwsApi:
    """Answers API calls and logs each."""

    def __init__(
        self,
        *,
        engine: DeliveryEngine,
        gateway: MotoGateway,
        principals: Principals,
        access: Access,
        sts: Sts,
        redeployment: Redeployment,
        requests: RequestLog,
        region: str,
        quotas: AccountQuotas,
        recursion: RecursionConfigs,
    ) -> None:
        self._engine = engine
        self._access = access
        self._gateway = gateway
        self._principals = principals
        self._redeployment = redeployment
        self._requests = requests
        self._region = region
        self._trails = Trails()
        self._layers = LayerContent(redeployment.layer_folder)
        self._own: Mapping[tuple[str, str], Callable[[HttpRequest, ApiCall, Principal], HttpAnswer | None]] = {
            ("events", "PutEvents"): self._put_events,
            ("events", "TestEventPattern"): self._test_event_pattern,
            ("lambda", "GetAccountSettings"): quotas.account_settings,
            ("lambda", "GetFunctionRecursionConfig"): recursion.get,
            ("lambda", "Invoke"): self._invoke,
            ("lambda", "InvokeAsync"): self._invoke,
            ("lambda", "PutFunctionRecursionConfig"): recursion.put,
            ("servicequotas", "GetServiceQuota"): quotas.service_quota,
        }
        self._sts = sts

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request. Blocks for as long as an invocation or a long poll takes."""
        try:
            call = read_call(request, self._region)
        except AmbiguousRequestError as error:
            return HttpAnswer.query_error(400, "ValidationError", str(error))
        try:
            principal = self._principals.of_signed(request, Credential(call.access_key_id, call.session_token))
        except CredentialRefusedError as error:
            answer = credential_refused(request, call, error)
            self._record(request, call, None, answer)
        else:
            answer = self._answer(request, call, principal)
            self._record(request, call, principal, answer)
        return answer

    def _answer(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        if call.service == "sts":
            return self._sts.answer(request, call, principal)
        try:
            refusal = self._access.refuse(request, call, principal)
        except ValueError as error:
            return HttpAnswer.error(400, "SerializationException", f"The body is no JSON: {error}")
        if refusal is not None:
            return refusal
        own = self._own.get((call.service, call.operation))
        if own is not None and (answered := own(request, call, principal)) is not None:
            return answered
        if refusal := _undeliverable(request, call):
            return refusal
        if call.service == "iam":
            parameters = read_parameters(request)
            for arn in filter(None, map(parameters.get, ("PolicyArn", "PermissionsBoundary"))):
                supply_aws_policy(Aws(principal.account, call.region), arn)
        if call.service == "cloudtrail":
            self._trails.make(principal.account, self._region)
        owner = _owner(request, call, principal)
        answer = self._redeployment.answer(request, call, lambda: self._gateway.answer(request, call, owner))
        self._follow(call, principal)
        return self._layers.lend(request, call, owner, completed(call, owner, answer))

    def _record(self, request: HttpRequest, call: ApiCall, principal: Principal | None, answer: HttpAnswer) -> None:
        self._requests.record(
            Request(
                time=datetime.now(UTC),
                service=call.service,
                operation=call.operation,
                account=principal.account if principal else "",
                region=call.region,
                principal=principal.arn if principal else "",
                mutating=call.is_mutating,
                status=answer.status,
                user_agent=request.headers.get("user-agent", ""),
            )
        )

    def _follow(self, call: ApiCall, principal: Principal) -> None:
        """What the delivery must know of after moto has stored something."""
        if not call.is_mutating or call.service not in ("events", "iam", "lambda", "sqs", "sns"):
            return
        if call.service in ("events", "lambda"):
            stop_moto_deliveries(principal.account, call.region)
        if call.operation not in MESSAGE_OPERATIONS:
            self._engine.refresh_wiring()
        self._engine.queues_changed()

    # ---------------------------------------------------------------- events

    def _put_events(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        try:
            answer = self._engine.put_events(json.loads(request.body), account=principal.account, region=call.region)
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
        arn = function_arn(name, call, principal.account)  # the one that the caller was asked about
        config = self._engine.wiring.function(arn)
        if config is None:
            return HttpAnswer.json(
                404,
                {"Type": "User", "Message": f"Function not found: {arn}"},
                {"x-amzn-ErrorType": "ResourceNotFoundException"},
            )
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


def _owner(request: HttpRequest, call: ApiCall, principal: Principal) -> str:
    """The account whose moto answers: that of the resource, for a call that its policy lets in from another account."""
    for permission in needs(request, call, principal.account):
        owner = (permission.resource.split(":") + [""] * 5)[4]
        if owner.isdecimal():
            return owner
    return principal.account


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
