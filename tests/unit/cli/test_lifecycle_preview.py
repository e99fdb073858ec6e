"""``ecr-steward lifecycle preview``: what is read, what is shown, and what is refused."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer

from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate
from ecr_steward_cli.lifecycle_preview import ECR, SWEEP, Intent, as_document, intent_of, preview
from ecr_steward_cli.lifecycle_report import show_previews
from ecr_steward_cli.lifecycle_running import Asked
from ecr_steward_cli.lifecycle_running import run as preview_command
from ecr_steward_cli.stored_images import StoredRepository, UnreadableImagesError, read_images_file

type Run = Callable[..., subprocess.CompletedProcess[str]]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REF = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
POLICY = {
    "rules": [
        {
            "rulePriority": 7,
            "selection": {"tagStatus": "tagged", "tagPatternList": ["pr-*"], "countType": "imageCountMoreThan"}
            | {"countNumber": 1},
            "action": {"type": "expire"},
        }
    ]
}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def detail(number: int, pushed: Any, *tags: str, **more: Any) -> dict[str, Any]:
    """An image as describe-images tells of it."""
    return {
        "registryId": "111122223333",
        "repositoryName": "team-a/api",
        "imageDigest": digest(number),
        "imageTags": list(tags),
        "imagePushedAt": pushed,
        "imageSizeInBytes": 1_048_576,
    } | more


IMAGES = {
    "imageDetails": [
        detail(1, "2026-11-01T10:00:00+01:00", "pr-1"),
        detail(2, 1_793_000_000.5, "pr-2", lastRecordedPullTime="2026-11-02T10:00:00Z"),
        detail(3, "2026-11-20T10:00:00Z", "pr-3"),
        detail(4, "2026-11-02T10:00:00Z", subjectManifestDigest=digest(1)),
        detail(5, "2026-11-03T10:00:00Z", imageStatus="ARCHIVED", lastArchivedAt="2026-11-04T10:00:00Z"),
    ]
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A file as ``aws ecr describe-images`` writes it."""
    path = tmp_path / "images.json"
    path.write_text(json.dumps(IMAGES), encoding="utf-8")
    return path


def stored(images: Path) -> StoredRepository:
    (found,) = read_images_file(images)
    return found


def test_json_names_each_image_with_its_rule_when_images_and_policy_are_files(
    run: Run, images: Path, tmp_path: Path
) -> None:
    (tmp_path / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")

    done = run("lifecycle", "preview", "--images", str(images), "--policy", "policy.json", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["repositories"]
    assert (found["repositoryName"], found["source"], found["images"]) == ("team-a/api", "policy.json", 5)
    assert [(one["imageDigest"], one["action"], one["appliedRulePriority"], one["by"]) for one in found["going"]] == [
        (digest(2), "EXPIRE", 7, "ecr"),
        (digest(1), "EXPIRE", 7, "ecr"),
        (digest(4), "EXPIRE", None, "ecr"),
    ]
    assert found["going"][2]["followsSubject"] == digest(1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"images": "i.json"}, "give --policy or --rulebook"),
        ({"policy": "p.json", "rulebook": "r.yaml"}, "give one of them"),
        ({"images": "gone.json", "policy": "p.json"}, "gone.json cannot be read"),
        ({"images": "i.json", "policy": "gone.json"}, "gone.json cannot be read"),
        ({"images": "i.json", "rulebook": "gone.yaml"}, "gone.yaml cannot be read"),
        ({"images": "i.json", "rulebook": "p.json"}, "`version` is missing"),
        ({"images": "i.json", "policy": "p.json", "ahead": "soon"}, "--ahead soon is not a duration"),
        (
            {"images": "i.json", "policy": "p.json", "repositories": ("x/y",)},
            "has no image of x/y; it has images of",
        ),
        ({"images": "i.json", "policy": "p.json", "account": "me"}, "'me' is not an account id"),
        ({"images": "bad.json", "policy": "p.json"}, "bad.json has no imageDetails"),
        ({"images": "i.json", "policy": "any.json"}, "selects any image: give it the highest number"),
        ({"images": "i.json", "policy": "bad.json"}, "bad.json: the lifecycle policy: `image` is not known here"),
    ],
)
def test_the_command_says_what_to_do_when_it_cannot_preview(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: dict[str, Any], told: str
) -> None:
    anything = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    first = {"rulePriority": 1, "selection": anything, "action": {"type": "expire"}}
    for name, document in (
        ("i.json", IMAGES),
        ("p.json", POLICY),
        ("bad.json", {"image": 1}),
        ("any.json", {"rules": [first, *POLICY["rules"]]}),
    ):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    files = {key: tmp_path / value for key, value in asked.items() if key in {"images", "policy", "rulebook"}}

    with pytest.raises((SystemExit, typer.Exit)) as ended:
        preview_command(Asked(**asked | files), full=False, as_json=True)

    out, err = capsys.readouterr()
    assert (getattr(ended.value, "code", None) or ended.value.exit_code, out) == (1, "")
    assert told in err


def test_times_are_read_as_either_version_of_the_aws_cli_prints_them(images: Path) -> None:
    found = {one.digest: one for one in stored(images).images}

    assert found[Digest(digest(1))].pushed_at == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert found[Digest(digest(2))].pushed_at == datetime(2026, 10, 26, 7, 33, 20, 500_000, tzinfo=UTC)
    assert found[Digest(digest(5))].archived_at == datetime(2026, 11, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ("nonsense", "has no imageDetails"),
        ([{"imageTags": []}], r"imageDetails\[0\] has no imageDigest"),
        ([{"imageDigest": digest(1)}], "has no imagePushedAt"),
        ([{"imageDigest": digest(1), "imagePushedAt": "yesterday"}], "imagePushedAt is no time: yesterday"),
        ([{"imageDigest": digest(1), "imagePushedAt": []}], "imagePushedAt is no time"),
        ([{"imageDigest": digest(1), "imagePushedAt": 1, "imageTags": ["a b"]}], "'a b' is not an image tag"),
    ],
)
def test_a_file_is_refused_with_the_image_that_cannot_be_read(tmp_path: Path, details: Any, told: str) -> None:
    path = tmp_path / "images.json"
    path.write_text(json.dumps({"imageDetails": details}), encoding="utf-8")

    with pytest.raises(UnreadableImagesError, match=told):
        read_images_file(path)


def test_the_rulebook_is_previewed_with_what_ecr_does_and_what_the_sweep_does(images: Path) -> None:
    entries = [
        {"keep": {"in_use": ["ecs"], "tags": ["pr-2"]}},
        {"expire": {"untagged": True, "after": "14d"}},
        {"expire": {"tags": ["pr-*"], "not_pulled_for": "20d"}},
    ]
    rulebook, problems = validate(
        {
            "version": 1,
            "rules": [{"name": "s", "match": {"repositories": ["**"]}, "repository": {"lifecycle": entries}}],
        }
    )
    assert rulebook is not None, problems
    intent = intent_of(compile_rulebook(rulebook), REF, {}, "rules.yaml")
    assert intent is not None

    found = preview(REF, stored(images), intent, NOW, timedelta())

    assert {(one.image.digest.value, one.by) for one in found.going} >= {(digest(1), SWEEP), (digest(2), SWEEP)}
    assert (intent.source, len(found.notes)) == ("the rule s of rules.yaml", 1)
    assert "the sweep asks ecs first" in found.notes[0]


def test_a_repository_is_passed_over_when_the_rulebook_says_nothing_of_its_images() -> None:
    rulebook, _ = validate(
        {
            "version": 1,
            "rules": [{"name": "s", "match": {"repositories": ["**"]}, "repository": {"scanning": "on_push"}}],
        }
    )
    assert rulebook is not None

    assert intent_of(compile_rulebook(rulebook), REF, {}, "rules.yaml") is None


def test_what_comes_later_is_shown_with_its_day_when_one_looks_ahead(images: Path) -> None:
    policy = read_lifecycle_policy(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days"}
                    | {"countNumber": 28},
                    "action": {"type": "expire"},
                }
            ]
        }
    )

    found = preview(REF, stored(images), Intent("it", policy), NOW, timedelta(days=7))

    assert [(one.image.digest.value, one.when, one.by) for one in found.going if not one.follows] == [
        (digest(2), None, ECR),
        (digest(1), datetime(2026, 11, 29, 9, tzinfo=UTC), ECR),
    ]
    assert as_document(found)["going"][1]["from"] == "2026-11-29T09:00:00+00:00"


def test_the_table_counts_by_rule_and_hides_no_more_than_it_says(images: Path) -> None:
    many = {"imageDetails": [detail(number, "2026-11-01T10:00:00Z", f"pr-{number}") for number in range(1, 31)]}
    images.write_text(json.dumps(many), encoding="utf-8")
    found = preview(REF, stored(images), Intent("it", read_lifecycle_policy(POLICY)), NOW, timedelta())
    concise, full = StringIO(), StringIO()

    show_previews([found], concise, full=False)
    show_previews([found], full, full=True)

    assert "of 30 images, 29 would go (29 MiB), 1 would stay" in concise.getvalue()
    assert "and 9 images more, shown with --full" in concise.getvalue()
    assert concise.getvalue().count("ECR 7") == 1 + 20
    assert full.getvalue().count("ECR 7") == 1 + 29


def test_a_note_says_so_when_it_is_not_known_what_an_index_holds(images: Path) -> None:
    index = detail(1, "2026-11-01T10:00:00Z", imageManifestMediaType="application/vnd.oci.image.index.v1+json")
    images.write_text(json.dumps({"imageDetails": [index]}), encoding="utf-8")

    found = preview(REF, stored(images), Intent("it", read_lifecycle_policy(POLICY)), NOW, timedelta())

    assert found.notes[0].startswith("what 1 index is made of is not known here")
