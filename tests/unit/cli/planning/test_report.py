"""A plan as people read it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ecr_steward.domain.brake import Hold
from ecr_steward.domain.images import Image
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.outcome import Outcome, SweepFailure, SweepOutcome
from ecr_steward.domain.plan import AddImageTag, Plan, PutScanOnPush, RemoveImageTag, Violation
from ecr_steward.domain.rules import Mode
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.verdict import Assessment
from ecr_steward_cli.planning.report import FEW_STEPS, show_plan
from tests.given.rules import AWAY, HOME
from tests.given.worlds import manifest

DIGEST = manifest("image").digest
NOW = datetime(2026, 11, 26, 5, tzinfo=UTC)


def scan_on(number: int, *, rule: str = "services", mode: Mode = Mode.ENFORCE, registry=HOME, why: str = "it is off"):
    ref = RepositoryRef(registry, f"team-{number:04}/api")
    step = PutScanOnPush(rule=rule, why=why, repository=ref, scan_on_push=True)
    return Outcome(str(ref), rule, mode, Plan((step,)))


def shown(*outcomes: Outcome, full: bool = False, is_past: bool = False, failures=(), repositories: int = 0) -> str:
    stream = io.StringIO()
    show_plan(SweepOutcome(outcomes, repositories, 0, tuple(failures)), stream, full=full, is_past=is_past)
    return stream.getvalue()


def test_a_thousand_steps_fit_sixty_lines_and_what_is_hidden_is_counted():
    outcomes = [scan_on(n, rule=f"rule-{n % 40}", why=f"reason {n}") for n in range(1000)]

    text = shown(*outcomes, repositories=1000)

    assert len(text.splitlines()) <= 60
    assert "... and 600 steps in 24 smaller groups; --full shows every step" in text
    assert "Plan: 0 to add, 1000 to change, 0 to remove. 1000 repositories looked at." in text


def test_steps_of_one_kind_are_told_in_one_line_with_the_first_repositories_and_how_many_more():
    text = shown(*(scan_on(n) for n in range(FEW_STEPS + 1)), repositories=40)

    assert text.splitlines()[:4] == [
        f"In {HOME}:",
        "rule services",
        "  ~ switch scan on push on: 13: team-0000/api, team-0001/api, team-0002/api and 10 more",
        "      it is off",
    ]


def test_reasons_are_counted_when_steps_of_one_kind_have_several():
    text = shown(*(scan_on(n, why="a" if n < 9 else f"b{n}") for n in range(13)))

    assert "      a (9), and 4 for 4 other reasons" in text


def test_the_registry_is_named_once_when_all_is_in_it_and_so_is_a_setting_of_its_own():
    step = PutScanOnPush(rule="services", why="it is off", repository=RepositoryRef(HOME, "team/a"), scan_on_push=True)
    of_registry = Outcome(f"registry {HOME}", "services", Mode.ENFORCE, Plan((step,)))

    text = shown(of_registry, scan_on(1), repositories=2)

    assert text.startswith(f"In {HOME}:\n")
    assert f"{HOME}/" not in text


@pytest.mark.parametrize("count", [1, FEW_STEPS + 1])
def test_nothing_is_told_as_done_when_a_brake_held_it_back(count):
    hold = Hold("services", f"{HOME}/team-0000/api", 60, "60 removals, more than the 50 of its brake", NOW)
    outcomes = [replace(scan_on(n), halt=hold) for n in range(count)]

    text = shown(*outcomes, is_past=True, repositories=count)

    assert "  (held back)\n" in text
    assert "Held back: the brake of rule services holds since 2026-11-26 05:00 UTC" in text
    assert f"Nothing was done. {count} held back." in text


def test_one_reason_stands_for_all_when_each_step_has_its_own():
    text = shown(*(scan_on(n, why=f"reason {n}") for n in range(13)))

    assert "      reason 0, and 12 more for a reason of their own" in text


def test_a_note_says_so_when_there_was_no_repository_to_look_at():
    assert "note: no repository is there, or none that --repository names" in shown(repositories=0)
    assert "note:" not in shown(repositories=1)


def test_every_step_is_told_with_its_rule_and_reason_when_asked_for_all():
    text = shown(*(scan_on(n) for n in range(20)), full=True)

    assert text.count("      rule services: it is off") == 20


def test_few_steps_are_told_one_by_one_without_asking():
    assert "team-0001/api\n  ~ switch scan on push of" in shown(scan_on(1))


def test_what_is_only_observed_is_set_apart_and_counts_as_no_change():
    text = shown(scan_on(1, mode=Mode.OBSERVE), repositories=1)

    assert "team-0001/api  (only observed: nothing is done)" in text
    assert text.endswith("No changes. 1 more would be done if their rules enforced. 1 repository looked at.\n")


def test_additions_and_removals_have_their_marks_when_image_tags_change():
    image = ImageRef(RepositoryRef(HOME, "team-a/api"), DIGEST)
    steps = (
        AddImageTag(rule="services", why="x", image=image, image_tag=ImageTag("quarantine-1")),
        RemoveImageTag(rule="services", why="y", image=image, image_tag=ImageTag("latest")),
        AddImageTag(rule="services", why="z", image=image, image_tag=ImageTag("1-latest"), previous=DIGEST),
    )

    text = shown(Outcome("team-a/api", "services", Mode.ENFORCE, Plan(steps)))

    assert [line[2] for line in text.splitlines() if line.startswith("  ") and line[2] != " "] == ["+", "-", "~"]
    assert "Plan: 1 to add, 1 to change, 1 to remove." in text


def test_registries_stay_named_when_there_are_several():
    text = shown(scan_on(1), scan_on(1, registry=AWAY))

    assert f"{HOME}/team-0001/api\n" in text
    assert f"{AWAY}/team-0001/api\n" in text


def test_violations_and_failures_are_told_when_nothing_is_to_be_done():
    image = Image(ImageRef(RepositoryRef(HOME, "team-a/api"), DIGEST))
    violation = Violation(rule="services", subject=image.ref, why="`latest` is denied", image_tag=ImageTag("latest"))
    outcome = replace(scan_on(1), plan=Plan(violations=(violation,)))

    text = shown(outcome, failures=[SweepFailure("team-b/api", "closed")])

    assert f"Violations\n  team-a/api@{DIGEST}: `latest` is denied (rule services)" in text
    assert "Failed\n  closed\n      team-b/api\n" in text


def denied(name: str, account: str) -> SweepFailure:
    there = f"{account}/us-east-1/{name}"
    arn = f"arn:aws:ecr:us-east-1:{account}:repository/{name}"
    why = f"not allowed: ecr:DescribeImages on {there}: AccessDeniedException: no policy allows it on {arn}"
    return SweepFailure(f"{HOME}/{name}@{DIGEST} to {there}", why)


def test_failures_of_one_account_and_cause_are_one_paragraph_when_they_concern_several_images():
    """use P1: the same 400 characters for each image."""
    other = SweepFailure("222233334444/us-east-1/team-0/api", "ecr:DescribeImages: 503")
    failures = [*(denied(f"team-{n}/api", "222233334444") for n in range(9)), denied("a", "333344445555"), other]

    text = shown(failures=failures)

    assert text.count("AccessDeniedException") == 2
    assert text.count("222233334444/us-east-1: not allowed") == text.count("333344445555/us-east-1: not allowed") == 1
    assert f"9 times: {HOME}/team-0/api@{str(DIGEST)[:19]} to 222233334444/us-east-1/team-0/api, " in text
    assert "and 6 more; --full shows each\n" in text
    assert shown(failures=failures, full=True).count("to 222233334444/us-east-1/team-") == 9


def test_verdicts_are_told_with_what_is_waited_for_and_what_is_waived():
    """attacks M1, M2: what is not known is seen in a plan."""
    waits = Assessment(Verdict.WAIT, ("a has never been scanned",))
    passes = Assessment(Verdict.PASS, waived=("CVE-1 (HIGH, suppressed in Inspector) of b; the rule lets it pass",))
    outcomes = [Outcome(f"team/{name}", "services", assessment=each) for name, each in [("a", waits), ("b", passes)]]

    text = shown(*outcomes)

    assert (
        "Verdicts\n  team/a: wait: a has never been scanned (rule services)\n  team/b: pass: CVE-1 (HIGH, sup" in text
    )
    assert "12 in all: 12 wait; --full shows each" in shown(*[outcomes[0]] * 12)


def test_notes_are_counted_and_shown_when_asked_for():
    outcomes = [replace(scan_on(n), remark=f"left to its queue {n}") for n in range(8)]

    assert "8 notes, such as team-0000/api: left to its queue 0; --full shows each" in shown(*outcomes)
    assert "note: team-0007/api: left to its queue 7" in shown(*outcomes, full=True)


def test_the_end_says_what_was_done_when_it_is_over():
    assert "Done: 0 added, 1 changed, 0 removed." in shown(scan_on(1), is_past=True)
    assert "Nothing was done." in shown(is_past=True)
