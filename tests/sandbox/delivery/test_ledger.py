"""Whoever looks on changes nothing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.delivery import engine as engine_module
from ecr_steward_sandbox.delivery.activity import SandboxCrashError
from ecr_steward_sandbox.delivery.engine import DeliveryEngine
from ecr_steward_sandbox.delivery.ledger import BusEvent, Ledger
from ecr_steward_sandbox.delivery.wiring import Wiring


def test_event_is_kept_when_the_listener_fails(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> None:
        raise ValueError("no ear")

    ledger = Ledger(fails)
    ledger.record(BusEvent("bus", {}))

    assert len(ledger.events) == 1
    assert "the listener failed at BusEvent" in caplog.text


def test_event_arrives_when_the_listener_fails(template: Any, run: Callable[..., Any]) -> None:
    def fails(_: object) -> None:
        raise ValueError("no ear")

    template.add("Bus", "AWS::Events::EventBus", Name="own")
    template.queue("Jobs", "ToQueue")
    template.rule("ToQueue", template.arn("Jobs"))
    box = run(listener=fails)

    box.put("ToQueue", {"n": 1})

    assert [message["body"]["detail"] for message in box.messages("Jobs")] == [{"n": 1}]


def test_every_later_wait_raises_when_a_delivery_for_a_service_failed(
    template: Any, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    template.queue("Jobs")
    box = run()

    with pytest.raises(AttributeError):
        box.sandbox.deliver("111122223333", "us-east-1", None)

    with pytest.raises(SandboxCrashError, match="AttributeError"):
        box.sandbox.wait_until_idle(1)
    assert "the sandbox failed" in caplog.text


def test_newest_wiring_stays_when_two_changes_are_taken_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    newest, older = Wiring(bus_arns=frozenset({"new"})), Wiring(bus_arns=frozenset({"old"}))
    looked, go_on = threading.Event(), threading.Event()
    views = iter((older, newest))

    def refreshed(_: Wiring) -> Wiring:
        view = next(views)
        if view is older:
            looked.set()
            assert go_on.wait(10)
        return view

    monkeypatch.setattr(engine_module, "refreshed", refreshed)
    engine = DeliveryEngine(Wiring(), lambda _: pytest.fail("there is no function"))
    first = threading.Thread(target=engine.refresh_wiring)
    second = threading.Thread(target=engine.refresh_wiring)

    first.start()
    assert looked.wait(10)
    second.start()
    second.join(0.2)  # without a lock it would be through by now, and be overwritten
    go_on.set()
    first.join(10)
    second.join(10)
    engine.close()

    assert engine.wiring is newest
