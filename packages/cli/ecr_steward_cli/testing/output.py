"""What became of cases, as text, JSON and JUnit. What a machine reads stands alone on standard output."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from ecr_steward_cli.planning.document import step_document
from ecr_steward_cli.testing.files import Cases
from ecr_steward_cli.testing.running import Result

SCHEMA_VERSION: Final = 1
"""Of the JSON. New keys do not change it."""


class Format(StrEnum):
    """Of the output."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


@dataclass(frozen=True)
class Tested:
    """A file of cases that was run."""

    cases: Cases
    results: tuple[Result, ...]

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(not result.has_passed for result in self.results)


def output_of(tested: Sequence[Tested], form: Format) -> str:
    """All that is printed."""
    return {Format.TEXT: _text, Format.JSON: _json, Format.JUNIT: _junit}[form](tested)


def _text(tested: Sequence[Tested]) -> str:
    lines: list[str] = []
    for each in tested:
        for line, result in zip(each.cases.lines, each.results, strict=True):
            if result.has_passed:
                continue
            lines.append(f"{each.cases.path}:{line}: FAILED {result.case.name}")
            lines += [f"  {part}" for reason in result.reasons for part in reason.splitlines()]
            lines.append("")
    return "\n".join(lines)


def _json(tested: Sequence[Tested]) -> str:
    failed = sum(each.failed for each in tested)
    document = {
        "schema_version": SCHEMA_VERSION,
        "summary": {"passed": sum(len(each.results) for each in tested) - failed, "failed": failed},
        "files": [
            {
                "file": str(each.cases.path),
                "rulebook": str(each.cases.rulebook),
                "cases": [_case(line, result) for line, result in zip(each.cases.lines, each.results, strict=True)],
            }
            for each in tested
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _case(line: int, result: Result) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": result.case.name,
        "line": line,
        "passed": result.has_passed,
        "reasons": list(result.reasons),
    }
    if (found := result.found) is not None:
        said["planned"] = {
            "rules": list(found.governing.names),
            "steps": [step_document(step) for step in found.steps],
            "violations": found.violations,
            "copies": found.copies,
            "verdict": found.verdict,
        }
    return said


def _junit(tested: Sequence[Tested]) -> str:
    document: Any = JUnitXml(name="ecr-steward test")  # part of its methods has no types
    for each in tested:
        suite = TestSuite(str(each.cases.path))
        for result in each.results:
            case = TestCase(result.case.name, classname=str(each.cases.path))
            if not result.has_passed:
                failure = Failure(result.reasons[0].partition("\n")[0], "AssertionError")
                failure.text = "\n".join(result.reasons)
                case.result = [failure]
            suite.add_testcase(case)
        document.add_testsuite(suite)
    document.update_statistics()
    return f"<?xml version='1.0' encoding='utf-8'?>\n{document.tostring().decode()}\n"
