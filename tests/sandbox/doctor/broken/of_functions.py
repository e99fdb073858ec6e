"""Functions that are broken, and what invokes them."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from moto.awslambda.models import lambda_backends

from tests.sandbox.doctor.broken.breakage import COPIES, LOGINS, POLICIES, PUSHED, SCANS, SWEEP, TAGS, Break, Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, House


def function_configured(logical_id: str, change: Callable[[House, Any], Any]) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        client, name = house.client("lambda"), house.named(logical_id)
        wanted = house.properties(logical_id)
        changed = change(house, wanted)
        client.update_function_configuration(FunctionName=name, **changed)
        yield
        client.update_function_configuration(FunctionName=name, **{one: wanted[one] for one in changed})

    return broken


@contextlib.contextmanager
def function_failed(house: House) -> Iterator[None]:
    """As where its role is gone, or its key; moto's functions never fail by themselves."""
    function = lambda_backends[HUB][REGION].get_function(house.named(COPIES))
    function.state = "Failed"
    yield
    function.state = "Active"


@contextlib.contextmanager
def loop_stopped(house: House) -> Iterator[None]:
    client, name = house.sandbox.client("lambda"), house.named(COPIES)
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Terminate")
    yield
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")


@contextlib.contextmanager
def function_throttled(house: House) -> Iterator[None]:
    client, name = house.client("lambda"), house.named(SWEEP)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    client.delete_function_concurrency(FunctionName=name)


@contextlib.contextmanager
def function_deleted(house: House) -> Iterator[None]:
    functions = lambda_backends[HUB][REGION]._lambdas._functions
    name = house.named(POLICIES)
    function = functions.pop(name)
    yield
    functions[name] = function


@contextlib.contextmanager
def permission_removed(house: House) -> Iterator[None]:
    client, wanted = house.client("lambda"), house.properties(f"{PUSHED}Permission")
    client.remove_permission(FunctionName=wanted["FunctionName"], StatementId=house.named(f"{PUSHED}Permission"))
    yield
    client.add_permission(StatementId=house.named(f"{PUSHED}Permission"), **wanted)


def invoke_config(logical_id: str, change: Callable[[Any], Any] | None) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        client, wanted = house.client("lambda"), house.properties(logical_id)
        client.delete_function_event_invoke_config(FunctionName=wanted["FunctionName"])
        if change is not None:
            client.put_function_event_invoke_config(**(wanted | change(wanted)))
        yield
        if change is not None:
            client.delete_function_event_invoke_config(FunctionName=wanted["FunctionName"])
        client.put_function_event_invoke_config(**wanted)

    return broken


def mapping_updated(logical_id: str, **changes: Any) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        client, uuid = house.client("lambda"), house.named(logical_id)
        before = client.get_event_source_mapping(UUID=uuid)
        client.update_event_source_mapping(UUID=uuid, **changes)
        yield
        back = {name: before["State"] == "Enabled" if name == "Enabled" else before[name] for name in changes}
        client.update_event_source_mapping(UUID=uuid, **back)

    return broken


@contextlib.contextmanager
def mapping_deleted(house: House) -> Iterator[None]:
    """Its id is made anew by each creation, so that it is put back as it was."""
    mappings, uuid = lambda_backends[HUB][REGION]._event_source_mappings, house.named(f"{SWEEP}Parts")
    mapping = mappings.pop(uuid)
    yield
    mappings[uuid] = mapping


BREAKAGES = [
    Breakage(
        "function-environment",
        TAGS,
        function_configured(TAGS, lambda _, wanted: {"Environment": {"Variables": {"ECR_STEWARD_EVENT_BUS": "x"}}}),
    ),
    Breakage("function-role", SCANS, function_configured(SCANS, lambda house, _: {"Role": house.arn(f"{COPIES}Role")})),
    Breakage(
        "function-layers", LOGINS, function_configured(LOGINS, lambda _, wanted: {"Layers": wanted["Layers"][:1]})
    ),
    Breakage("function-settings", TAGS, function_configured(TAGS, lambda *_: {"Timeout": 3}), round=2),
    Breakage("function-active", COPIES, function_failed),
    Breakage("function-recursion", COPIES, loop_stopped, round=2),
    Breakage("function-concurrency", SWEEP, function_throttled),
    Breakage("function-exists", POLICIES, function_deleted),
    Breakage("function-permission", f"{PUSHED}Permission", permission_removed),
    Breakage("function-failures-exist", f"{TAGS}EventInvokeConfig", invoke_config(f"{TAGS}EventInvokeConfig", None)),
    Breakage(
        "function-failures",
        f"{LOGINS}EventInvokeConfig",
        invoke_config(f"{LOGINS}EventInvokeConfig", lambda _: {"DestinationConfig": {}}),
    ),
    Breakage("mapping-enabled", f"{COPIES}CopyJobs", mapping_updated(f"{COPIES}CopyJobs", Enabled=False)),
    Breakage("mapping-settings", f"{SCANS}Scans", mapping_updated(f"{SCANS}Scans", BatchSize=1)),
    Breakage("mapping-exists", f"{SWEEP}Parts", mapping_deleted),
]
