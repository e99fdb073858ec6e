"""AWS, asked with the operator's own credentials, by calls that change nothing."""

import json
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from ecr_steward_cli.caller import PROMPT, Caller
from ecr_steward_cli.doctor.findings import Unread
from ecr_steward_cli.refusal import reason_of

ACTIONS: Final[Mapping[str, str]] = {
    "cloudformation.describe_stacks": "cloudformation:DescribeStacks",
    "cloudformation.get_template": "cloudformation:GetTemplate",
    "cloudformation.list_stack_resources": "cloudformation:ListStackResources",
    "cloudtrail.describe_trails": "cloudtrail:DescribeTrails",
    "cloudtrail.get_event_selectors": "cloudtrail:GetEventSelectors",
    "cloudtrail.get_trail_status": "cloudtrail:GetTrailStatus",
    "cloudwatch.describe_alarms": "cloudwatch:DescribeAlarms",
    "cloudwatch.get_metric_statistics": "cloudwatch:GetMetricStatistics",
    "dynamodb.describe_table": "dynamodb:DescribeTable",
    "dynamodb.describe_time_to_live": "dynamodb:DescribeTimeToLive",
    "ecr.describe_repositories": "ecr:DescribeRepositories",
    "ecr.get_registry_scanning_configuration": "ecr:GetRegistryScanningConfiguration",
    "ecr.list_pull_time_update_exclusions": "ecr:ListPullTimeUpdateExclusions",
    "events.describe_event_bus": "events:DescribeEventBus",
    "events.describe_rule": "events:DescribeRule",
    "events.list_targets_by_rule": "events:ListTargetsByRule",
    "iam.get_role": "iam:GetRole",
    "iam.get_role_policy": "iam:GetRolePolicy",
    "iam.list_attached_role_policies": "iam:ListAttachedRolePolicies",
    "iam.list_role_policies": "iam:ListRolePolicies",
    "inspector2.batch_get_account_status": "inspector2:BatchGetAccountStatus",
    "lambda.get_account_settings": "lambda:GetAccountSettings",
    "lambda.get_event_source_mapping": "lambda:GetEventSourceMapping",
    "lambda.get_function_concurrency": "lambda:GetFunctionConcurrency",
    "lambda.get_function_configuration": "lambda:GetFunctionConfiguration",
    "lambda.get_function_event_invoke_config": "lambda:GetFunctionEventInvokeConfig",
    "lambda.get_function_recursion_config": "lambda:GetFunctionRecursionConfig",
    "lambda.get_layer_version": "lambda:GetLayerVersion",
    "lambda.get_policy": "lambda:GetPolicy",
    "logs.describe_log_groups": "logs:DescribeLogGroups",
    "s3.get_object": "s3:GetObject",
    "scheduler.get_schedule": "scheduler:GetSchedule",
    "service-quotas.get_service_quota": "servicequotas:GetServiceQuota",
    "sns.get_topic_attributes": "sns:GetTopicAttributes",
    "sns.list_subscriptions_by_topic": "sns:ListSubscriptionsByTopic",
    "sqs.get_queue_attributes": "sqs:GetQueueAttributes",
    "sts.assume_role": "sts:AssumeRole",
}
"""The IAM action of each call that doctor makes; ``docs/deploy/doctor.md`` has the policy of them all."""

BESIDE: Final = frozenset(
    {"dynamodb:GetItem", "dynamodb:Query", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}
)
"""The actions of what adapters of the core read for doctor: the last good rulebook, announcements, logins."""
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
    }
)
_NOT_THERE: Final = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NotFound",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
_PATIENT: Final = Config(retries={"mode": "standard", "total_max_attempts": 6}, max_pool_connections=16)
"""Doctor asks much at once, and Lambda takes 15 GetPolicy a second. There are fewer threads than connections."""


class NotThereError(Exception):
    """AWS has no such thing."""


class UnreadError(Exception):
    """A call was not answered."""

    def __init__(self, fact: Unread) -> None:
        super().__init__(fact.reason)
        self.fact = fact


class Asker:
    """Makes each call once, however many checks want its answer. Safe to use from several threads."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._config = PROMPT.merge(_PATIENT)
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._answers: dict[str, Mapping[str, Any] | Exception] = {}
        self._locks: dict[str, RLock] = {}
        self._lock = RLock()
        self.answered: set[str] = set()
        """Services that answered something, be it a refusal."""
        self.unreachable: dict[str, str] = {}
        """Why a service did not answer, by its name."""

    def ask(self, call: str, /, region: str | None = None, **parameters: Any) -> Mapping[str, Any]:
        """The answer to ``service.operation``, of a list all pages. Raises NotThereError and UnreadError."""
        key = json.dumps([call, region, parameters], sort_keys=True, default=str)
        with self._lock:
            lock = self._locks.setdefault(key, RLock())
        with lock:
            if key not in self._answers:
                self._answers[key] = self._answer(call, region, parameters)
            found = self._answers[key]
        if isinstance(found, Exception):
            raise found
        return found

    def _answer(self, call: str, region: str | None, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Exception:
        service, operation = call.split(".")
        if service in self.unreachable:
            return UnreadError(Unread(f"{service} does not answer: {self.unreachable[service]}"))
        try:
            answer = self._called(self._client(service, region), operation, parameters)
        except ClientError as error:
            self.answered.add(service)
            return _meant(error, ACTIONS[call])
        except ResponseParserError as error:
            return UnreadError(Unread(f"{ACTIONS[call]}: {reason_of(error)}"))
        except (HTTPClientError, NoConnectionError) as error:
            self.unreachable[service] = reason_of(error)
            return UnreadError(Unread(f"{service} does not answer: {reason_of(error)}"))
        except NoCredentialsError:
            raise
        except BotoCoreError as error:
            return UnreadError(Unread(f"{ACTIONS[call]}: {reason_of(error)}"))
        self.answered.add(service)
        return answer

    def _called(self, client: Any, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        method: Callable[..., Mapping[str, Any]] = getattr(client, operation)
        if not client.can_paginate(operation):
            return method(**parameters)
        whole: Mapping[str, Any] = client.get_paginator(operation).paginate(**parameters).build_full_result()
        return whole

    def _client(self, service: str, region: str | None) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self.caller.clients.other(service, self._config, region)
            return self._clients[service, region]


def _meant(error: ClientError, action: str) -> NotThereError | UnreadError:
    code, message = error.response.get("Error", {}).get("Code", ""), error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        return UnreadError(
            Unread(f"{action} is denied: {message}", f"allow {action} to the principal that runs doctor")
        )
    if code in _NOT_THERE or "does not exist" in message:
        return NotThereError(message)
    return UnreadError(Unread(f"{action}: {code} {message}"))
