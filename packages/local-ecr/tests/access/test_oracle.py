"""Our decisions beside those of iam-simulate, on 10,000 random pairs of policies and request: see oracle/README.md."""

import importlib.util
import json
from pathlib import Path

import pytest

from local_ecr.iam import Call, Identity, Policy, Principal, judge

FOLDER = Path(__file__).parent / "oracle"
FINGERPRINT = "a33fb181eab3440954dcf6cd0127cd0e681f92b95787c1dd86d69f9721d1ecc8"


def load_pairs():
    spec = importlib.util.spec_from_file_location("oracle_pairs", FOLDER / "pairs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAIRS = load_pairs()
ANSWERS = (FOLDER / "answers.txt").read_text().replace("\n", "")
DIFFERENCES = json.loads((FOLDER / "differences.json").read_text())
ROLES = dict(zip(PAIRS.SESSIONS, PAIRS.ROLES, strict=True))
LISTED = {number for one in DIFFERENCES for number in one["pairs"]}


def decided(pair):
    """A, D or I, and why."""
    name = pair["principal"]
    principal = Principal("AWS" if name.startswith("arn:") else "Service", name, ROLES.get(name))
    policies = [Policy(f"P{number}", document) for number, document in enumerate(pair["identity"])]
    boundary = Policy("B", pair["boundary"]) if pair["boundary"] else None
    of_resource = [Policy("R", pair["policy"])] if pair["policy"] else []
    call = Call(pair["action"], pair["resource"], principal, pair["context"])
    judgement = judge(call, Identity(policies, boundary), of_resource)
    assert "not known" not in judgement.why
    return "A" if judgement.is_allowed else "D" if "explicit deny" in judgement.why else "I"


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_we_decide_like_the_simulator_but_where_a_page_of_aws_says_otherwise(step):
    chosen = range(0, PAIRS.COUNT, step)
    differing = {
        number for number, pair in enumerate(PAIRS.pairs()) if number in chosen and decided(pair) != ANSWERS[number]
    }
    assert differing == LISTED & set(chosen)


def test_the_answers_are_about_these_pairs():
    assert len(ANSWERS) == PAIRS.COUNT == 10_000
    assert PAIRS.fingerprint() == FINGERPRINT
    assert min(ANSWERS.count(letter) for letter in "ADI") > 1_500


def test_each_difference_has_one_reason_and_its_page():
    assert len(LISTED) == sum(len(one["pairs"]) for one in DIFFERENCES)
    assert all(one["source"].startswith("IAM user guide, ") and one["why"] for one in DIFFERENCES)
