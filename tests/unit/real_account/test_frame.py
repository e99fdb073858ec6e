"""Deciding without an account: verdicts, the journal, the report, and time."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from real_account.account import RefusedError, check_named, confirm
from real_account.beliefs import Belief, Finding, Observation, Verdict, counts, judge, without_observation
from real_account.clean_up import KINDS
from real_account.journal import Journal, Made
from real_account.later import LATER
from real_account.pace import BudgetSpentError, Pace
from real_account.report import Head, as_json, as_markdown
from real_account.run import Run
from real_account.stacks import delete_kept
from real_account.step import NotLookedAtError, Step, play
from real_account.steps import STEPS
from real_account.steps.push_events import described
from real_account.steps.suites import outcome

BELIEF = Belief("b", "a | b", "a page", "yes")
OTHER = Belief("c", "another", "a page", "no")
HEAD = Head("AWS", "444455556666", "us-east-1", "r1", "then", "now", "1.0", left=("role x: arn:444455556666",))


class Clock:
    """A clock that sleeping sets forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 3, tzinfo=UTC)
        self.pace = Pace(lambda: self.now, self.sleep)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def run_in(folder: Path, pace: Pace, *, on_aws: bool = True) -> Run:
    return Run("444455556666", "us-east-1", "eu-west-1", "r1", folder, on_aws, pace)


def step_of(
    *observations: Observation, error: Exception | None = None, minutes: int = 10, only_on_aws: str = ""
) -> Step:
    def do(run: Run) -> Iterator[Observation]:
        yield from observations
        if error is not None:
            raise error
        run.pace.wait(30)

    return Step("s", "S", "looks", "nothing", 0.0, timedelta(minutes=minutes), (BELIEF, OTHER), do, only_on_aws)


def test_an_observation_is_as_believed_when_it_is_what_is_expected_and_not_otherwise() -> None:
    assert judge(Observation(BELIEF, "yes", "d")) == Finding(BELIEF, Verdict.AS_BELIEVED, "yes", "d")
    assert judge(Observation(BELIEF, "Yes")).verdict is Verdict.NOT_AS_BELIEVED


def test_only_beliefs_without_a_finding_get_one_without_observation() -> None:
    found = [judge(Observation(BELIEF, "yes"))]

    rest = without_observation((BELIEF, OTHER), found, Verdict.NOT_TRIED, "why")

    assert rest == (Finding(OTHER, Verdict.NOT_TRIED, "", "why"),)
    assert counts([*found, *rest])[Verdict.NOT_TRIED] == 1


@pytest.mark.parametrize(
    ("step", "verdict", "why"),
    [
        pytest.param(step_of(error=KeyError("x")), Verdict.NOT_TRIED, "KeyError: 'x'", id="raises"),
        pytest.param(step_of(error=NotLookedAtError("early")), Verdict.NOT_LOOKED_AT, "early", id="says-so"),
        pytest.param(step_of(minutes=0), Verdict.NOT_TRIED, "BudgetSpentError: its time was over", id="no-time"),
        pytest.param(step_of(), Verdict.NOT_TRIED, "the step ended before", id="ends"),
    ],
)
def test_a_step_that_does_not_observe_says_why(tmp_path: Path, step: Step, verdict: Verdict, why: str) -> None:
    found = list(play(step, run_in(tmp_path, Clock().pace)))

    assert [(one.verdict, one.why) for one in found] == [(verdict, why)] * 2


def test_what_was_observed_before_a_step_raises_counts(tmp_path: Path) -> None:
    step = step_of(Observation(BELIEF, "yes"), error=OSError("gone"))

    found = list(play(step, run_in(tmp_path, Clock().pace)))

    assert [one.verdict for one in found] == [Verdict.AS_BELIEVED, Verdict.NOT_TRIED]


def test_a_step_that_only_aws_plays_is_not_begun_elsewhere(tmp_path: Path) -> None:
    step = step_of(error=AssertionError("begun"), only_on_aws="no stacks")

    found = list(play(step, run_in(tmp_path, Clock().pace, on_aws=False)))

    assert {(one.verdict, one.why) for one in found} == {(Verdict.NOT_LOOKED_AT, "not in the sandbox: no stacks")}


def test_a_step_ends_with_its_budget_and_the_next_has_the_run_s(tmp_path: Path) -> None:
    clock = Clock()
    run = run_in(tmp_path, clock.pace)
    run.pace.deadline = end = clock.now + timedelta(hours=2)

    def waits(of: Run) -> Iterator[Observation]:
        of.pace.wait(3600)
        yield Observation(BELIEF, "yes")

    step = Step("s", "S", "", "", 0.0, timedelta(minutes=3), (BELIEF,), waits)
    (found,) = play(step, run)

    assert found.why == "BudgetSpentError: its time was over"
    assert sum(clock.slept) == 180
    assert run.pace.deadline == end


def test_until_asks_again_until_the_answer_is_true_or_the_time_is_over() -> None:
    clock, answers = Clock(), [0, 0, 7]

    assert clock.pace.until(lambda: answers.pop(0), 60, every=5) == 7
    assert clock.pace.until(lambda: 0, 20, every=5) == 0
    assert clock.slept == [5, 5, 5, 5, 5, 5]
    clock.pace.deadline = clock.now
    with pytest.raises(BudgetSpentError):
        clock.pace.wait(1)


def test_a_journal_knows_what_is_left_latest_first_and_forgets_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    journal.begin(account="444455556666", region="us-east-1")
    first, second = Made("role", "a", "us-east-1", {}), Made("rule", "a", "us-east-1", {"bus": "b"})
    third = Made("queue", "c", "us-east-1", {})
    for made in (first, second, third):
        journal.making(made)
    journal.note("at", 5)
    journal.gone(second)
    with journal.file.open("a", encoding="utf-8") as file:
        file.write('{"making": {"ki')

    assert journal.left() == (third, first)
    assert journal.notes == {"at": 5}
    assert journal.run == {"account": "444455556666", "region": "us-east-1"}
    with pytest.raises(FileExistsError):
        journal.begin()


def test_reports_have_every_finding_and_no_account() -> None:
    step = step_of()
    played = [(step, [Finding(BELIEF, Verdict.NOT_AS_BELIEVED, "444455556666", "x\ny")])]

    markdown, document = as_markdown(HEAD, played), json.loads(as_json(HEAD, played))

    assert "| b | a \\| b | a page | looks | yes | 111122223333 | x y |" in markdown
    assert "- role x: arn:111122223333" in markdown
    assert markdown.index("## Not as believed") < markdown.index("## Not deleted")
    assert "444455556666" not in markdown + json.dumps(document)
    assert document["counts"] == {
        "as believed": 0,
        "not as believed": 1,
        "could not be tried": 0,
        "not looked at": 0,
    }
    assert document["findings"][0]["details"] == "x\ny"


@pytest.mark.parametrize(
    ("account", "region"), [("", "us-east-1"), ("12", "us-east-1"), ("111122223333", ""), ("111122223333", "here")]
)
def test_account_and_region_are_named(account: str, region: str) -> None:
    with pytest.raises(RefusedError):
        check_named(account, region)
    check_named("111122223333", "us-gov-west-1")


def test_only_the_account_s_id_confirms() -> None:
    def closed(_: str) -> str:
        raise EOFError

    confirm("111122223333", lambda _: " 111122223333\n")
    for ask in (lambda _: "y", lambda _: "", closed):
        with pytest.raises(RefusedError, match="nothing was made"):
            confirm("111122223333", ask)


def test_steps_and_beliefs_have_names_of_their_own_and_sources() -> None:
    beliefs = [belief for step in (*STEPS, *LATER.values()) for belief in step.beliefs]

    assert len({step.name for step in STEPS}) == len(STEPS)
    assert len({belief.id for belief in beliefs}) == len(beliefs)
    assert all(belief.statement and belief.source and belief.expected for belief in beliefs)
    assert all(step.how and step.makes and step.budget > timedelta(0) for step in STEPS)


def test_each_kind_of_thing_that_a_step_makes_can_be_deleted() -> None:
    sources = [
        file.read_text(encoding="utf-8")
        for file in (Path(__file__).parents[3] / "tools" / "real_account").rglob("*.py")
    ]
    made = {text.split('"', 2)[1] for source in sources for text in source.split("making(")[1:] if text[0] == '"'}

    assert {"repository", "role", "queue", "rule", "bus", "topic"} <= made
    assert made <= KINDS


@pytest.mark.parametrize(
    ("code", "said", "value"),
    [
        (0, "....\n4 passed, 2 skipped in 1.0s\n", "no failures"),
        (0, "2 skipped in 1.0s\n", "pytest ended with 0"),
        (1, "FAILED tests/a.py::test_b - x\nERROR tests/c.py::test_d\n1 failed, 1 error in 1s\n", "2 failed"),
        (5, "9 deselected in 1s\n", "pytest ended with 5"),
        (2, "", "pytest ended with 2"),
    ],
)
def test_a_suite_counts_when_some_test_passed_and_none_failed(code: int, said: str, value: str) -> None:
    assert outcome(code, said)[0] == value


def test_an_event_is_described_by_type_action_and_tag() -> None:
    detail = {"action-type": "PUSH", "image-tag": ""}

    assert described({"detail-type": "ECR Referrer Action", "detail": detail}) == "ECR Referrer Action PUSH"


def test_what_a_stack_keeps_is_deleted_by_its_type_and_what_is_gone_already_is_no_error(tmp_path: Path) -> None:
    asked: list[tuple[str, object]] = []

    class Client:
        def delete_table(self, TableName: str) -> None:
            asked.append(("table", TableName))
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DeleteTable")

        def delete_layer_version(self, LayerName: str, VersionNumber: int) -> None:
            asked.append((LayerName, VersionNumber))

    class Account(Run):
        def client(self, service: str, region: str | None = None) -> Client:
            return Client()

    run = Account("444455556666", "us-east-1", "eu-west-1", "r1", tmp_path, True, Clock().pace)

    def kept(kind: str, name: str) -> dict[str, str]:
        return {"ResourceType": kind, "PhysicalResourceId": name}

    delete_kept(
        run, [kept("AWS::DynamoDB::Table", "t"), kept("AWS::Lambda::LayerVersion", "arn:aws:lambda:x:layer:l:3")]
    )

    assert asked == [("table", "t"), ("arn:aws:lambda:x:layer:l", 3)]
    with pytest.raises(RuntimeError, match="it keeps AWS::S3::Bucket b"):
        delete_kept(run, [kept("AWS::S3::Bucket", "b")])
