"""Which saved plans are applied, and what is said of the others."""

import json
import os

import pytest

from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward_cli.planning.document import document_of
from ecr_steward_cli.planning.gathering import read_rules, scope_of
from ecr_steward_cli.planning.saved import NotAPlanError, SavedPlan, save
from tests.command import run_here
from tests.given.rules import HOME

RULES = "version: 1\nrules: [{name: a, match: {repositories: ['team-*/**']}, repository: {scanning: on_push}}]\n"
OTHER_RULES = RULES.replace("team-*", "*")


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A folder with a rulebook and a saved plan of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ecr-steward.yaml").write_text(RULES)
    rulebook = read_rules(tmp_path.joinpath("ecr-steward.yaml").relative_to(tmp_path))
    document = document_of(SweepOutcome((), 0, 0), scope_of(rulebook, [HOME], []))
    save(document, rulebook.compiled, tmp_path / "plan.json")
    return tmp_path


def apply(folder, *options):
    """Apply the plan; what is said on standard error, with an AWS that does not answer."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    environment = {"PATH": os.environ["PATH"], "AWS_MAX_ATTEMPTS": "1", **nowhere}
    done = run_here("apply", "plan.json", *options, folder=folder, environment=environment)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1}', "has written: it has no 'schema_version'"),
        ('{"schema_version": 99}', "has the version 99"),
        ("{", "has written: Expecting property name"),
        ("[]", "has written: "),
    ],
)
def test_the_reason_is_told_when_a_file_is_no_saved_plan(tmp_path, text, why):
    path = tmp_path / "plan.json"
    path.write_text(text)

    with pytest.raises(NotAPlanError, match=why):
        SavedPlan.read(path)


def test_a_plan_is_applied_when_its_rulebook_says_what_it_said(saved):
    """attacks L5."""
    (saved / "ecr-steward.yaml").write_text(f"# another comment\n{RULES}")

    assert "ES822 whether there is a stack" in apply(saved)  # which comes next


def test_a_plan_is_refused_when_its_rulebook_has_changed(saved):
    """attacks L5: a plan of another rulebook was applied under the good one's hash."""
    (saved / "ecr-steward.yaml").write_text(OTHER_RULES)

    assert apply(saved) == (
        "Error: ES835 plan.json was not made from ecr-steward.yaml as it is now, so nothing is done; plan again\n"
    )


def test_a_plan_is_refused_when_its_rulebook_is_not_here_and_taken_when_it_is_named(saved):
    """attacks L5."""
    (saved / "ecr-steward.yaml").rename(saved / "elsewhere.yaml")

    assert apply(saved).startswith(
        "Error: ES835 plan.json was made from ecr-steward.yaml, which is not here: run this "
    )
    assert "ES822 whether there is a stack" in apply(saved, "--rulebook", "elsewhere.yaml")


def test_a_plan_is_refused_when_the_rules_in_it_were_changed(saved):
    """attacks L5."""
    plan = json.loads((saved / "plan.json").read_text())
    plan["compiled"]["rulebook"]["rules"][0]["match"]["repositories"] = ["**"]
    (saved / "plan.json").write_text(json.dumps(plan))

    assert apply(saved).startswith("Error: ES831 plan.json was changed: the rules in it are not those of its sha256")


@pytest.mark.parametrize("change", [{"registries": []}, {"registries": [7]}, {"subjects": [7]}, {"rulebook": None}])
def test_a_plan_is_refused_and_not_read_wrongly_when_it_was_edited(saved, change):
    """use P1: nothing that cannot be read ends in a traceback."""
    plan = json.loads((saved / "plan.json").read_text())
    (saved / "plan.json").write_text(json.dumps(plan | change))

    assert apply(saved).startswith("Error: ES831 plan.json ")


@pytest.mark.parametrize(("glob", "code"), [("team-a**", "ES205"), ("[", "ES204"), ("/api", "ES204")])
def test_a_pattern_that_matches_no_repository_is_refused(saved, glob, code):
    """use P1: a plan of nothing said "No changes"."""
    environment = {"PATH": os.environ["PATH"], "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    options = ("--no-stack", "--account", HOME.account, "--repository", glob)

    done = run_here("plan", *options, folder=saved, environment=environment)

    assert (done.returncode, done.stderr.partition(" --repository: ")[0]) == (1, f"Error: {code}")


def test_a_plan_is_refused_when_its_rules_and_their_hash_are_those_of_another_rulebook(saved):
    """attacks L5."""
    (saved / "other.yaml").write_text(OTHER_RULES)
    other = read_rules(saved / "other.yaml")
    document = document_of(SweepOutcome((), 0, 0), scope_of(other, [HOME], []))
    document["rulebook"]["file"] = "ecr-steward.yaml"
    save(document, other.compiled, saved / "plan.json")

    assert apply(saved).startswith("Error: ES835 ")


@pytest.mark.parametrize("is_deep", [False, True])
def test_a_saved_plan_is_applied_as_deeply_as_it_was_made(saved, is_deep):
    rulebook = read_rules(saved.joinpath("ecr-steward.yaml").relative_to(saved))
    document = document_of(SweepOutcome((), 0, 0), scope_of(rulebook, [HOME], [], is_deep=is_deep))
    save(document, rulebook.compiled, saved / "deep.json")

    assert SavedPlan.read(saved / "deep.json").is_deep is is_deep
