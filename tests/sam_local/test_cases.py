"""The table of cases: complete, and none that could pass without its function."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sam_local.cases import CASES, Case, wired_pairs
from sam_local.effects import HOME, REPOSITORY, RepositoryState, Seen, State, nothing_changes
from sandbox.deploy.translate import translate

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "a" * 64
UNTOUCHED = State(
    {
        (HOME, REPOSITORY): RepositoryState(
            images={DIGEST: frozenset({"1.4.2"})},
            policy=None,
            lifecycle=None,
            mutability="MUTABLE",
            scan_on_push=False,
            resource_tags={},
        )
    }
)


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    return translate(ROOT, region="us-east-1", parameters={}).template


def test_each_function_has_a_case_for_each_event_when_the_template_wires_them(template: Mapping[str, Any]) -> None:
    assert {(case.function, case.event) for case in CASES} == set(wired_pairs(template))


def test_no_case_passes_when_its_function_does_nothing() -> None:
    idle = Seen(UNTOUCHED, UNTOUCHED, (DIGEST,))

    assert [case for case in CASES if not list(case.effect(idle))] == [
        case for case in CASES if case.effect is nothing_changes
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.function}-{case.event}")
def test_every_case_fails_when_an_image_is_deleted(case: Case) -> None:
    emptied = Seen(UNTOUCHED, State({}), (DIGEST,))

    assert list(case.effect(emptied))
