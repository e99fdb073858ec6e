"""The day with an account, from the first refusal to the report."""

import json
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest

from real_account.beliefs import Belief, Observation
from real_account.clean_up import _DELETIONS, _repository
from real_account.journal import Made
from real_account.run import Run
from real_account.step import Step
from real_account.steps import logins, notices
from tests.sandbox.real_account.conftest import ACCOUNT, Desk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real-account")]

BELIEF = Belief("one", "one is one", "arithmetic", "one")


def test_a_whole_run_ends_in_a_report_and_leaves_the_account_as_it_was(desk: Desk) -> None:
    before = desk.state()

    code = desk.make()

    assert code == 0
    assert desk.state() == before
    assert desk.report["left"] == []
    assert desk.verdicts == {
        "login-at-once": "as believed",
        "deploy-first": "not looked at",
        "deploy-again": "not looked at",
        "deploy-keeps-parameters": "not looked at",
        "notice-without-condition": "as believed",
        "notice-with-condition": "not as believed",  # the sandbox evaluates the condition as IAM does
        "template-makes-role": "not as believed",  # ECR of the sandbox needs no role
        "scanning-rights": "as believed",
        "kms-without-rights": "not looked at",
        "kms-with-rights": "not looked at",
        "event-of-push": "as believed",
        "event-of-alias": "as believed",
        "event-of-referrer": "as believed",
        "scan-on-push-enhanced": "not looked at",
        "head-blob": "as believed",
        "head-manifest": "as believed",
        "upload-cancelled": "not as believed",  # local_ecr cancels, as the specification says
        "patch-answers-201": "as believed",
        "one-patch": "as believed",
        "delete-keeps": "not looked at",
        "deploy-after-delete": "not looked at",
        "sweep-is-not-throttled": "as believed",
        "login-after-70-minutes": "as believed",
        "suite-operations": "as believed",
        "suite-contract": "as believed",
    }
    unseen = [one["details"] for one in desk.report["findings"] if one["verdict"] == "not looked at"]
    assert all(why.startswith("not in the sandbox: ") for why in unseen)


@pytest.mark.parametrize(
    ("account", "typed", "said"),
    [
        pytest.param("", ACCOUNT, "name the account by its twelve digits", id="no-account"),
        pytest.param("444455556666", "444455556666", f"these credentials are of account {ACCOUNT}", id="wrong-account"),
        pytest.param(ACCOUNT, "yes", "not confirmed: nothing was made", id="not-confirmed"),
    ],
)
def test_nothing_is_made_when_the_account_is_not_certain(
    desk: Desk, capsys: pytest.CaptureFixture[str], account: str, typed: str, said: str
) -> None:
    before = desk.state()
    desk.typed = [typed]

    code = desk.make(account=account)

    assert code == 2
    assert said in capsys.readouterr().err
    assert desk.state() == before
    assert not desk.folder.exists()


@pytest.mark.parametrize(
    ("by", "at_sleep", "login"),
    [
        pytest.param(signal.SIGINT, 1, "not looked at", id="Ctrl-C-within-a-step"),
        pytest.param(signal.SIGINT, 2, "as believed", id="Ctrl-C-in-the-long-wait"),
        pytest.param(signal.SIGTERM, 2, "as believed", id="SIGTERM"),
    ],
)
def test_everything_is_deleted_when_the_run_is_interrupted(
    desk: Desk, by: signal.Signals, at_sleep: int, login: str
) -> None:
    before = desk.state()
    seen: list[object] = []

    def interrupt() -> None:
        seen.append(desk.state())
        if len(seen) == at_sleep:
            signal.raise_signal(by)

    desk.clock.on_sleep = interrupt

    code = desk.make("--keep-for-later", steps=[logins.STEP, logins.AFTER, notices.STEP])

    assert code == 130
    assert len(seen) == at_sleep
    assert seen[0] != before
    assert desk.state() == before
    assert desk.verdicts == {
        "login-at-once": login,
        "login-after-70-minutes": "not looked at",
        "notice-without-condition": "not looked at",
        "notice-with-condition": "not looked at",
    }
    assert not list(desk.folder.glob("*/login.json"))


def test_the_other_steps_go_on_when_one_raises(desk: Desk) -> None:
    def breaks(run: Run) -> Iterator[Observation]:
        run.repository("half")
        yield Observation(BELIEF, "two")
        raise ValueError("no such thing")

    other = Belief("other", "this is never reached", "nothing", "any")
    before = desk.state()
    last = Belief("last", "it goes on", "nothing", "yes")

    code = desk.make(
        steps=[
            Step("1", "Breaks", "tries", "a repository", 0.0, timedelta(minutes=1), (BELIEF, other), breaks),
            step(last, "yes"),
        ]
    )

    assert code == 0
    assert desk.verdicts == {"one": "not as believed", "other": "could not be tried", "last": "as believed"}
    assert desk.report["findings"][1]["details"] == "ValueError: no such thing"
    assert desk.state() == before


def step(belief: Belief, observed: str) -> Step:
    """A step that observes one thing and makes nothing."""
    return Step(
        "2",
        "Goes on",
        "looks",
        "nothing",
        0.0,
        timedelta(minutes=1),
        (belief,),
        lambda _: iter([Observation(belief, observed)]),
    )


def test_a_later_clean_up_deletes_what_a_killed_run_has_left(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    before = desk.state()

    def is_killed(run: Run) -> Iterator[Observation]:
        run.repository("left")
        run.making("role", run.name("recorded-and-never-made"))
        yield Observation(BELIEF, "one")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("real_account.conduct.clean_up", lambda *_: ("killed",))
        assert desk.make(steps=[Step("1", "", "", "", 0.0, timedelta(minutes=1), (BELIEF,), is_killed)]) == 1
    assert desk.state() != before

    code = desk.make("--clean-up")

    assert code == 0
    assert desk.state() == before
    assert "Everything of this run is deleted." in capsys.readouterr().out
    assert desk.make("--clean-up") == 0


def test_what_cannot_be_deleted_is_reported_and_stays_in_the_journal(desk: Desk) -> None:
    def makes(run: Run) -> Iterator[Observation]:
        run.making("creation template", "not/ecr-steward/$$")
        run.repository("other")
        yield Observation(BELIEF, "one")

    before = desk.state()

    code = desk.make(steps=[Step("1", "", "", "", 0.0, timedelta(minutes=1), (BELIEF,), makes)])

    assert code == 1
    assert [line.partition(" in ")[0] for line in desk.report["left"]] == ["creation template not/ecr-steward/$$"]
    assert desk.state() == before
    assert desk.make("--clean-up") == 1


def test_a_run_announces_what_it_makes_and_costs_before_it_asks(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.typed = [""]

    desk.make()

    said = capsys.readouterr().out
    assert f"account {ACCOUNT}, region us-east-1" in said
    assert "10-transfer: a repository with one small image and a layer of 2 GiB (about $0.01)" in said
    assert "in at most 120 minutes" in said


def test_no_report_has_the_id_of_the_account(desk: Desk) -> None:
    desk.make(steps=[step(BELIEF, f"arn of {ACCOUNT}")])

    assert json.dumps(desk.report).count("111122223333") == 1  # which is what every id becomes


def test_later_commands_pull_with_what_was_kept_until_it_is_cleaned_up(desk: Desk) -> None:
    before = desk.state()
    assert desk.make("--keep-for-later", steps=[logins.STEP]) == 0
    assert [kind.partition(" ")[0] for kind in desk.report["kept"]] == ["login", "role", "repository"]
    assert [file.stat().st_mode & 0o777 for file in desk.folder.glob("*/login.json")] == [0o600]
    assert desk.state() != before

    assert desk.make("--later", "6h") == 0
    early = desk.later("6h")
    desk.clock.now += timedelta(hours=6, minutes=1)
    assert desk.make("--later", "6h") == 0
    in_time = desk.later("6h")
    assert desk.make("--later", "expired-scan") == 0
    assert desk.make("--clean-up") == 0
    assert desk.make("--later", "11h") == 0

    assert (early["verdict"], in_time["verdict"]) == ("not looked at", "as believed")
    assert early["details"].startswith("too early: ")
    assert desk.later("expired-scan")["details"] == "not in the sandbox: it scans no image by itself"
    assert desk.later("11h")["details"] == "no login was kept"
    assert desk.state() == before


def test_a_later_command_refuses_the_run_of_another_region_and_a_run_that_never_was(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.make("--later", "6h") == 2
    assert "there is no journal in" in capsys.readouterr().err
    desk.make(steps=[step(BELIEF, "one")])

    assert desk.make("--later", "6h", "--region", "eu-west-1") == 2
    assert "in account 111122223333, region us-east-1" in capsys.readouterr().err


def test_the_clean_up_has_time_when_the_run_has_none_left(desk: Desk) -> None:
    def waits_on(run: Run) -> Iterator[Observation]:
        run.repository("late")
        run.pace.wait(3 * 3600)
        yield Observation(BELIEF, "one")

    before = desk.state()
    slow = Step("1", "", "", "", 0.0, timedelta(hours=9), (BELIEF,), waits_on)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_DELETIONS, "repository", lambda run, made: (run.pace.seconds_left(), _repository(run, made)))
        code = desk.make(steps=[slow, step(Belief("last", "", "", ""), "yes")])

    assert code == 0
    assert desk.verdicts == {"one": "could not be tried", "last": "could not be tried"}
    assert desk.state() == before


def test_a_second_ctrl_c_does_not_end_the_clean_up(desk: Desk) -> None:
    def makes(run: Run) -> Iterator[Observation]:
        run.repository("one")
        run.repository("two")
        signal.raise_signal(signal.SIGINT)
        yield Observation(BELIEF, "one")

    def impatient(run: Run, made: Made) -> None:
        signal.raise_signal(signal.SIGINT)
        _repository(run, made)

    before = desk.state()

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_DELETIONS, "repository", impatient)
        code = desk.make(steps=[Step("1", "", "", "", 0.0, timedelta(minutes=1), (BELIEF,), makes)])

    assert code == 130
    assert desk.state() == before
