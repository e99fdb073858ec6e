"""Values that AWS refuses when a resource is created, and moto takes without a word.

Asked with every intrinsic resolved, so after moto has created the resources and before anything runs.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ecr_steward_sandbox.deploy.errors import RefusedError
from ecr_steward_sandbox.deploy.interpreter import RUNTIME

if TYPE_CHECKING:
    from ecr_steward_sandbox.deploy.deployment import Deployment, Resource

MAX_TARGETS = 5  # EventBridge quotas: targets per rule
MAX_PATTERN = 4096  # characters; PutRule
MAX_TIMEOUT = 900  # seconds; Lambda quotas
DEFAULT_TIMEOUT, DEFAULT_VISIBILITY = 3, 30  # seconds; Lambda's and SQS's
MAX_BATCH, MAX_BATCH_AT_ONCE, MAX_WINDOW = 10_000, 10, 300  # messages, and without a window; seconds
RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""CloudWatch Logs, PutRetentionPolicy."""
RESERVED_NAMES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Lambda developer guide, "Defined runtime environment variables"."""

_BATCHING = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0}

Refusals = Iterator[tuple[str, Any, str]]  # property, its value, what AWS takes


def check_values(deployment: "Deployment") -> None:
    """Raise RefusedError for the first value that AWS would refuse."""
    for resource in deployment.resources.values():
        check = _CHECKS.get(resource.type)
        for name, value, takes in check(resource.properties, deployment) if check else ():
            raise RefusedError(f"{resource.logical_id} ({resource.type}): {name}: {value!r} is refused: {takes}")


def _function(properties: Mapping[str, Any], _: "Deployment") -> Refusals:
    runtime = properties.get("Runtime")
    if runtime != RUNTIME:
        yield "Runtime", runtime, f"the sandbox runs functions under the interpreter it has, {RUNTIME}"
    timeout = properties.get("Timeout", DEFAULT_TIMEOUT)
    if not re.fullmatch(r"\d+", str(timeout)) or not 1 <= int(timeout) <= MAX_TIMEOUT:
        yield "Timeout", timeout, f"Lambda takes whole seconds from 1 to {MAX_TIMEOUT}"
    for name, value in properties.get("Environment", {}).get("Variables", {}).items():
        if name in RESERVED_NAMES:
            yield f"Environment.Variables.{name}", value, "Lambda sets this one itself and reserves its name"


def _mapping(properties: Mapping[str, Any], deployment: "Deployment") -> Refusals:
    yield from _batching(properties)
    queue = deployment.by_arn(properties["EventSourceArn"])
    function = _function_named(properties["FunctionName"], deployment)
    if queue is None or function is None:
        return
    timeout = int(function.properties.get("Timeout", DEFAULT_TIMEOUT))
    visibility = int(queue.properties.get("VisibilityTimeout", DEFAULT_VISIBILITY))
    if visibility < timeout:
        yield (
            "EventSourceArn",
            queue.arn,
            f"Lambda polls a queue whose VisibilityTimeout ({visibility} s) is at least the Timeout of the function "
            f"({function.logical_id}: {timeout} s)",
        )


def _batching(properties: Mapping[str, Any]) -> Refusals:
    """Lambda API reference, CreateEventSourceMapping: BatchSize and MaximumBatchingWindowInSeconds of SQS."""
    size, window = (int(properties.get(name, usual)) for name, usual in _BATCHING.items())
    is_fifo = str(properties["EventSourceArn"]).endswith(".fifo")
    if not 0 <= window <= (0 if is_fifo else MAX_WINDOW):
        takes = "no window for a FIFO queue" if is_fifo else f"whole seconds from 0 to {MAX_WINDOW}"
        yield "MaximumBatchingWindowInSeconds", window, f"Lambda takes {takes}"
    most = MAX_BATCH if window else MAX_BATCH_AT_ONCE
    if not 1 <= size <= most:
        yield "BatchSize", size, f"Lambda takes 1 to {MAX_BATCH_AT_ONCE}, and up to {MAX_BATCH} with a batching window"


def _rule(properties: Mapping[str, Any], _: "Deployment") -> Refusals:
    targets = properties.get("Targets", [])
    if len(targets) > MAX_TARGETS:
        yield "Targets", len(targets), f"EventBridge takes at most {MAX_TARGETS} targets for a rule"
    pattern = properties.get("EventPattern")
    if pattern is not None:
        text = pattern if isinstance(pattern, str) else json.dumps(pattern, separators=(",", ":"))
        if len(text) > MAX_PATTERN:
            yield "EventPattern", f"{text[:40]}...", f"EventBridge takes at most {MAX_PATTERN} characters"
    expression = properties.get("ScheduleExpression")
    if expression is not None and (takes := expression_problem(expression)):
        yield "ScheduleExpression", expression, takes


def _schedule(properties: Mapping[str, Any], _: "Deployment") -> Refusals:
    if takes := expression_problem(properties["ScheduleExpression"]):
        yield "ScheduleExpression", properties["ScheduleExpression"], takes


def _log_group(properties: Mapping[str, Any], _: "Deployment") -> Refusals:
    days = properties.get("RetentionInDays")
    if days is not None and str(days) not in map(str, RETENTION_DAYS):
        takes = ", ".join(map(str, sorted(RETENTION_DAYS)))
        yield "RetentionInDays", days, f"CloudWatch Logs takes {takes}"


def _function_named(name: str, deployment: "Deployment") -> "Resource | None":
    functions = deployment.of_type("AWS::Lambda::Function")
    return next((one for one in functions if name in (one.physical_id, one.arn)), None)


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], "Deployment"], Refusals]] = {
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Scheduler::Schedule": _schedule,
}

# ---------------------------------------------------------------- schedule expressions

_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}\)")
_MONTHS = dict(
    zip(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), range(1, 13), strict=True)
)
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int], str], ...] = (
    ("minutes", 0, 59, {}, r"(?!)"),
    ("hours", 0, 23, {}, r"(?!)"),
    ("day of month", 1, 31, {}, r"\?|L|LW|(3[01]|[12]?\d)W"),
    ("month", 1, 12, _MONTHS, r"(?!)"),
    ("day of week", 1, 7, _DAYS, r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
    ("year", 1970, 2199, {}, r"(?!)"),
)
"""Name, first and last value, names of values, and what else a field may be."""


def expression_problem(expression: str) -> str | None:
    """What AWS takes instead of this schedule expression; None when it takes it.

    EventBridge user guide, "Setting a schedule pattern for scheduled rules"; Scheduler's has at() as well.
    """
    if rate := _RATE.fullmatch(expression):
        if (rate.group(1) == "1") != (rate.group(3) == ""):
            return "rate() takes minute, hour or day for 1, and minutes, hours or days for more"
        return None
    if expression.startswith("cron(") and expression.endswith(")"):
        return _cron_problem(expression[5:-1].split(" "))
    if _AT.fullmatch(expression):
        return None
    return "a schedule is rate(5 minutes), cron(0 12 * * ? *) or at(2030-01-31T12:00:00)"


def _cron_problem(fields: list[str]) -> str | None:
    if len(fields) != len(_FIELDS):
        wanted = ", ".join(field[0] for field in _FIELDS)
        return f"cron() takes six fields ({wanted}), this one has {len(fields)}"
    for text, (field, first, last, names, special) in zip(fields, _FIELDS, strict=True):
        parts = text.upper().split(",")
        if not all(re.fullmatch(special, part) or _is_range(part, first, last, names) for part in parts):
            return f"the field for {field} of cron() does not take {text!r}"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "exactly one of day of month and day of week is ? in cron()"
    return None


def _is_range(part: str, first: int, last: int, names: Mapping[str, int]) -> bool:
    """A value, a range of two, or every value; each with steps after a slash or without."""
    span, _, step = part.partition("/")
    if "/" in part and not (step.isdecimal() and int(step) > 0):
        return False
    ends = [] if span == "*" else span.split("-")
    numbers = [names.get(end, int(end) if end.isdecimal() else -1) for end in ends]
    return len(ends) <= 2 and all(first <= number <= last for number in numbers)
