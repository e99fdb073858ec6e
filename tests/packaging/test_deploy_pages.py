"""What the pages of docs/deploy say: links lead somewhere, rulebooks in them validate, counts are the template's."""

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_steward.rulebook.validate import validate

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_each_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8"))
    targets = [((page.parent / path).resolve() if path else page, anchor) for path, anchor in links]

    assert [str(path) for path, _ in targets if not path.exists()] == []
    assert [(path.name, anchor) for path, anchor in targets if anchor and anchor not in anchors(path)] == []


def test_the_rulebook_that_takes_back_validates_and_leaves_nothing_in_force() -> None:
    page = (ROOT / "docs" / "deploy" / "uninstall.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    rulebook, problems = validate(yaml.safe_load(text))

    assert problems == ()
    assert rulebook is not None
    assert {each["mode"] for each in [*yaml.safe_load(text)["rules"], *yaml.safe_load(text)["registries"]]} == {
        "enforce"
    }


def test_the_costs_count_the_alarms_and_calls_of_the_template(template: Mapping[str, Any]) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    alarms = [each for each in template["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    patterns = template["Resources"]["ForwardToStewardRule"]["Properties"]["EventPattern"]["$or"]
    calls = [name for pattern in patterns for name in pattern.get("detail", {}).get("eventName", [])]

    assert f"| {len(alarms)} alarms |" in page
    assert f"and {len(calls)}\n  calls of ECR's API" in page


def test_the_costs_are_those_that_the_benchmarks_compute() -> None:
    cost = runpy.run_path(str(ROOT / "benchmarks" / "cost.py"))
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")

    assert page == cost["written"](page)


def test_each_page_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES if f"docs/deploy/{page.name}" not in readme] == []
