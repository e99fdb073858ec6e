"""Functions ahead of real time: what follows, and what is as it always is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

HOURS_13 = timedelta(hours=13)
TELLS_THE_TIME = """
    import datetime, logging, os, sys, time
    IMPORTED = time.time()
    def lambda_handler(event, context):
        logging.getLogger().warning("seen")
        return {
            "imported": IMPORTED,
            "time": time.time(),
            "now": datetime.datetime.now().timestamp(),
            "today": datetime.date.today().isoformat(),
            "left": context.get_remaining_time_in_millis(),
            "environment": {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_RUNTIME_API"},
            "path": [entry for entry in sys.path if "python3" not in entry],
            "argv": sys.argv[1:],
            "main": sys.modules["__main__"].__spec__ is not None,
        }
"""
SIGNS_AND_REMEMBERS = """
    import io, json, time
    import boto3
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

    def lambda_handler(event, context):
        signed = {}
        sts = boto3.client("sts")
        sts.meta.events.register("before-send.*.*", lambda request, **_: signed.update(request.headers) or object())
        try:
            sts.get_caller_identity()
        except AttributeError:  # what was sent instead of the request is no answer
            pass
        line = io.StringIO()
        Logger(service="test", stream=line).info("x")
        return {
            "signed": signed["X-Amz-Date"].decode(),
            "logged": json.loads(line.getvalue())["timestamp"],
            "expired": [DataRecord("k", status="COMPLETED", expiry_timestamp=at).is_expired for at in event],
        }
"""


def is_near(seconds: float, moment: datetime) -> bool:
    """Whether it is that moment, give or take a minute."""
    return abs(datetime.fromtimestamp(seconds, UTC) - moment) < timedelta(minutes=1)


def test_function_lives_in_the_later_time_from_its_import_on_when_launched_ahead(function: Callable[..., Any]) -> None:
    then = datetime.now(UTC) + HOURS_13

    answer, outcome = function(TELLS_THE_TIME, ahead=HOURS_13).invoke()

    assert all(is_near(answer[what], then) for what in ("imported", "time", "now"))
    assert answer["today"] in {then.date().isoformat(), (then + timedelta(minutes=1)).date().isoformat()}
    assert 0 < answer["left"] <= 3000
    assert f"{then:%Y-%m-%dT%H}" in outcome.log or f"{then + timedelta(minutes=1):%Y-%m-%dT%H}" in outcome.log


def test_function_sees_nothing_else_of_the_launcher_when_launched_ahead(function: Callable[..., Any]) -> None:
    usual, ahead = (
        function(TELLS_THE_TIME, ahead=by, handler="app.lambda_handler").invoke()[0] for by in (timedelta(), HOURS_13)
    )

    def same(answer: Any) -> Any:
        text = repr({what: answer[what] for what in ("environment", "path", "argv", "main")})
        return text.replace(answer["environment"]["LAMBDA_TASK_ROOT"], "TASK").replace(
            answer["environment"]["TMPDIR"], "TMP"
        )

    assert usual["environment"]["TZ"] == ":UTC"
    assert same(ahead).replace(opt_of(ahead), "OPT") == same(usual).replace(opt_of(usual), "OPT")


def opt_of(answer: Any) -> str:
    """The folder of the Lambda layers."""
    return next(str(Path(entry).parent) for entry in answer["path"] if Path(entry).parent.name.startswith("opt-"))


@pytest.mark.parametrize("ahead", [timedelta(), HOURS_13])
def test_time_machine_is_no_package_of_the_function_when_it_runs(
    function: Callable[..., Any], ahead: timedelta
) -> None:
    source = """
        import sys
        LOADED = "time_machine" in sys.modules
        sys.modules.pop("time_machine", None)
        def lambda_handler(event, context):
            try:
                import time_machine
            except ModuleNotFoundError:
                return LOADED
    """

    answer, outcome = function(source, ahead=ahead).invoke()

    assert not outcome.is_error
    assert answer is (ahead != timedelta())


def test_signatures_logs_and_records_follow_when_launched_ahead(function: Callable[..., Any], tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    names = "boto3 botocore s3transfer jmespath dateutil six.py urllib3 aws_lambda_powertools typing_extensions.py"
    (layer / "python").mkdir(parents=True)
    for name in names.split():
        (layer / "python" / name).symlink_to(str(metadata.distribution("boto3").locate_file(name)))
    then = datetime.now(UTC) + HOURS_13
    signs = function(
        SIGNS_AND_REMEMBERS,
        layers=(layer,),
        ahead=HOURS_13,
        environment={"AWS_SECRET_ACCESS_KEY": "secret"},
        timeout=30.0,
    )

    answer, outcome = signs.invoke([int((then + timedelta(hours=by)).timestamp()) for by in (-1, 1)])

    assert not outcome.is_error, answer
    signed = datetime.strptime(answer["signed"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert is_near(signed.timestamp(), then)
    assert is_near(datetime.strptime(answer["logged"], "%Y-%m-%d %H:%M:%S,%f%z").timestamp(), then)
    assert answer["expired"] == [True, False]
