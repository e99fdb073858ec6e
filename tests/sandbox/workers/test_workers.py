"""Functions under the real runtime client: what they see, how they fail, what is left of them."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.workers.pool import WorkerPoolClosedError

SHOWS_ITSELF = """
    import os, sys
    def lambda_handler(event, context):
        return {
            "environment": dict(os.environ),
            "path": sys.path,
            "modules": [name for name in ("pydantic", "boto3", "sandbox", "site") if name in sys.modules],
            "folder": os.getcwd(),
            "pid": os.getpid(),
            "context": {
                "request_id": context.aws_request_id,
                "arn": context.invoked_function_arn,
                "name": context.function_name,
                "memory": context.memory_limit_in_mb,
                "left": context.get_remaining_time_in_millis(),
            },
        }
"""

LEAVES_A_THREAD = """
    import os, pathlib, threading, time
    ticks = pathlib.Path("ticks")
    count = 0
    def tick():
        global count
        while True:
            written = pathlib.Path("ticks.new")
            written.write_text(str(count + 1))
            written.replace(ticks)
            count += 1
            time.sleep(0.002)
    tick_on = threading.Thread(target=tick, daemon=True)
    def lambda_handler(event, context):
        if not tick_on.is_alive():
            tick_on.start()
        while count < (event or 1):
            time.sleep(0.001)
        return {"pid": os.getpid(), "ticks": count}
"""


def test_function_sees_lambdas_environment_and_nothing_of_this_machine_when_invoked(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "canary")
    shown = function(SHOWS_ITSELF, environment={"OWN": "yes"}, memory=512, timeout=60.0)

    answer, outcome = shown.invoke(request_id="abc")

    environment = answer["environment"]
    assert not outcome.is_error
    assert "canary" not in environment.values()
    assert environment["OWN"] == "yes"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "stack-Tested-1"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert answer["folder"] == environment["LAMBDA_TASK_ROOT"] == str(shown.config.code)
    assert answer["context"]["request_id"] == "abc"
    assert answer["context"]["arn"] == shown.config.arn
    assert answer["context"]["memory"] == "512"
    assert 50_000 < answer["context"]["left"] <= 60_000


def test_only_built_artefacts_and_the_runtime_client_are_on_the_path_when_invoked(
    function: Callable[..., Any], runtime_client: Path
) -> None:
    answer, _ = function(SHOWS_ITSELF).invoke()

    own = [entry for entry in answer["path"] if not entry.startswith(("/usr/lib/python3", "/opt/python"))]
    assert not [entry for entry in answer["path"] if "site-packages" in entry or "dist-packages" in entry]
    assert str(runtime_client) in own
    assert answer["modules"] == []


def test_installed_package_is_missing_when_no_layer_has_it(function: Callable[..., Any]) -> None:
    answer, outcome = function("import pydantic\ndef lambda_handler(event, context): pass").invoke()

    assert outcome.is_error
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'pydantic'" in answer["errorMessage"]


def test_layers_are_merged_under_one_folder_when_several_have_packages(
    function: Callable[..., Any], tmp_path: Path
) -> None:
    core, rules = tmp_path / "core", tmp_path / "rules"
    for layer, version in ((core, 1), (rules, 2)):
        (layer / "python" / "shared").mkdir(parents=True)
        (layer / "python" / "shared" / "__init__.py").write_text(f"VERSION = {version}")
    (core / "python" / "only_core.py").write_text("HERE = True")
    (rules / "rulebook.json").write_text('{"rules": []}')
    source = """
        import os, pathlib, shared, only_core
        def lambda_handler(event, context):
            return [shared.VERSION, only_core.HERE, pathlib.Path(os.environ["RULEBOOK"]).read_text()]
    """

    answer, _ = function(source, layers=(core, rules), environment={"RULEBOOK": "/opt/rulebook.json"}).invoke()

    assert answer == [2, True, '{"rules": []}']


def test_no_bytecode_is_written_when_a_function_has_modules(function: Callable[..., Any]) -> None:
    shown = function("import other\ndef lambda_handler(event, context): return other.N")
    (shown.config.code / "other.py").write_text("N = 1")

    assert shown.invoke()[0] == 1
    assert sorted(path.name for path in shown.config.code.rglob("*")) == ["app.py", "other.py"]


def test_worker_is_used_again_when_the_next_event_comes(function: Callable[..., Any]) -> None:
    shown = function(SHOWS_ITSELF)

    pids = {shown.invoke()[0]["pid"] for _ in range(5)}

    assert len(pids) == 1
    assert shown.pool.pids == list(pids)


def test_several_workers_run_when_events_come_at_once(
    function: Callable[..., Any], meets_another: str, tmp_path: Path
) -> None:
    meeting = function(meets_another, timeout=20.0)
    place = tmp_path / "meeting"
    place.mkdir()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(meeting.invoke(str(place))[0])) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len({answer["pid"] for answer in answers}) == 2
    assert [answer["met"] for answer in answers] == [True, True]


def test_what_a_function_left_running_stands_still_until_the_next_event(
    function: Callable[..., Any], wait_until: Callable[[Callable[[], object]], None]
) -> None:
    counting = function(LEAVES_A_THREAD)
    pid = counting.invoke()[0]["pid"]
    # The kernel stops a process in its own time.
    wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    first = ticks(counting)
    time.sleep(0.1)

    assert ticks(counting) == first

    again = counting.invoke()[0]
    assert again["pid"] == pid
    counting.invoke(again["ticks"] + 3)
    assert ticks(counting) >= again["ticks"] + 3


def ticks(function: Any) -> int:
    """How often the thread that LEAVES_A_THREAD left has run."""
    return int((function.config.code / "ticks").read_text())


def test_log_is_that_of_the_invocation_when_several_follow_each_other(function: Callable[..., Any]) -> None:
    source = """
        import logging, sys
        print("cold start")
        def lambda_handler(event, context):
            print("out", event)
            print("err", event, file=sys.stderr)
            logging.getLogger().warning("log %s", event)
    """
    talks = function(source)

    first, second = talks.invoke(1)[1].log, talks.invoke(2, request_id="second")[1].log

    assert first.startswith("cold start\nout 1\nerr 1\n[WARNING]")
    assert "request-1" in first
    assert second.startswith("out 2\nerr 2\n[WARNING]")
    assert "second\tlog 2" in second


def test_long_log_does_not_block_the_function_when_it_fills_the_pipe(function: Callable[..., Any]) -> None:
    _, outcome = function("def lambda_handler(event, context):\n    print('x' * 500_000)").invoke()

    assert not outcome.is_error
    assert len(outcome.log) == 500_001


def test_error_has_type_message_and_trace_when_the_handler_raises(function: Callable[..., Any]) -> None:
    raises = function("def lambda_handler(event, context):\n    raise KeyError('digest')")

    answer, outcome = raises.invoke()

    assert outcome.is_error
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'digest'")
    assert "lambda_handler" in "".join(answer["stackTrace"])
    assert "[ERROR] KeyError" in outcome.log
    assert len(raises.pool.pids) == 1


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("raise RuntimeError('no settings')", "app.lambda_handler", "RuntimeError"),
        ("def lambda_handler(:", "app.lambda_handler", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "app.lambda_handler", "Runtime.HandlerNotFound"),
        ("x = 1", "missing.lambda_handler", "Runtime.ImportModuleError"),
    ],
)
def test_init_error_is_told_each_time_when_the_module_cannot_be_loaded(
    function: Callable[..., Any], source: str, handler: str, error_type: str
) -> None:
    broken = function(source, handler=handler)

    for _ in range(2):
        answer, outcome = broken.invoke()
        assert outcome.is_error
        assert answer["errorType"] == error_type
    assert broken.pool.pids == []


def test_function_is_killed_and_replaced_when_it_runs_into_its_timeout(function: Callable[..., Any]) -> None:
    source = """
        import os, time
        def lambda_handler(event, context):
            print("working", flush=True)
            time.sleep(event)
            return os.getpid()
    """
    slow = function(source, timeout=0.5)
    first, _ = slow.invoke(0)

    answer, outcome = slow.invoke(30, request_id="too-long")

    assert outcome.is_error
    assert answer == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: too-long Error: Task timed out after 0.50 seconds",
    }
    assert outcome.log.startswith("working\n")
    second, _ = slow.invoke(0)
    assert second != first
    assert not Path(f"/proc/{first}").exists()


@pytest.mark.parametrize(
    ("death", "told"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal: SIGKILL"),
        ("sys.exit(0)", "exit status 0"),
    ],
)
def test_invocation_fails_and_the_next_works_when_the_worker_dies(
    function: Callable[..., Any], death: str, told: str
) -> None:
    dies = function(f"import os, sys\ndef lambda_handler(event, context):\n    if event: {death}\n    return 'alive'")

    answer, outcome = dies.invoke(True)

    assert outcome.is_error
    assert answer["errorType"] == "Runtime.ExitError"
    assert told in answer["errorMessage"]
    assert dies.invoke(False)[0] == "alive"


def test_next_event_gets_a_new_worker_when_the_idle_one_was_killed(
    function: Callable[..., Any], wait_until: Callable[[Callable[[], object]], None]
) -> None:
    shown = function(SHOWS_ITSELF)
    first = shown.invoke()[0]["pid"]

    os.kill(first, 9)
    wait_until(lambda: not shown.pool.pids)
    answer, outcome = shown.invoke()

    assert not outcome.is_error
    assert answer["pid"] != first


def test_nothing_is_left_when_the_pool_is_closed_in_the_middle_of_an_invocation(
    function: Callable[..., Any], tmp_path: Path, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    source = """
        import subprocess, time, pathlib, os
        def lambda_handler(event, context):
            child = subprocess.Popen(["sleep", "60"])
            pathlib.Path(event).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(60)
    """
    threads_before = set(threading.enumerate())
    runs = function(source, timeout=90.0)
    note, outcomes = tmp_path / "pids", []
    thread = threading.Thread(target=lambda: outcomes.append(runs.invoke(str(note))[1]))
    thread.start()
    wait_until(lambda: note.exists() and note.read_text())

    runs.pool.close()
    thread.join(5)

    assert outcomes[0].is_error
    for pid in note.read_text().split():
        assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    assert set(threading.enumerate()) <= threads_before
    assert not list(tmp_path.glob("scratch-*"))
    with pytest.raises(WorkerPoolClosedError):
        runs.invoke("x")


def test_every_log_is_whole_when_many_invocations_follow_at_once(function: Callable[..., Any]) -> None:
    talks = function("def lambda_handler(event, context):\n    print('x' * 20_000, event)")

    logs = [talks.invoke(number)[1].log for number in range(200)]

    assert [len(log.split()[0]) for log in logs] == [20_000] * 200
    assert [int(log.split()[1]) for log in logs] == list(range(200))


def test_pool_closes_at_once_when_a_process_that_left_the_group_holds_the_log(function: Callable[..., Any]) -> None:
    leaves = function("""
        import subprocess
        def lambda_handler(event, context):
            return subprocess.Popen(["sleep", "60"], start_new_session=True).pid
    """)
    left_over, _ = leaves.invoke()
    threads = set(threading.enumerate())

    leaves.pool.close()

    os.kill(left_over, 9)  # it is still there: nobody waited for it
    assert "worker-log" not in [thread.name for thread in threads if thread.is_alive()]
