"""docs/comparison.md, from what was measured and from the tests that show what is said of us."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MEASURED = DOCS / "measured.json"
PAGE = DOCS / "comparison.md"

NOTE = "<!-- Written by `make compare` from measured.json; a test compares it with that. -->"

API = ("local_ecr", "moto", "ministack")
DATA_PLANE = ("local_ecr", "moto", "ministack", "distribution")
NAMES = {
    "local_ecr": "local_ecr",
    "moto": "moto",
    "ministack": "MiniStack",
    "distribution": "CNCF distribution",
}

_IMAGES = "tests/test_images.py"
_MANIFESTS = "tests/test_manifests.py"
_LISTINGS = "tests/test_listings.py"
_BLOBS = "tests/test_blobs.py"
_TOKENS = "tests/test_tokens.py"
_SPEC_BLOBS = "tests/distribution_spec/test_push_blobs.py"

SHOWN_BY: Mapping[str, str] = {
    "the digest of an image is the SHA-256 of its manifest": (
        f"{_IMAGES}::test_an_image_is_described_with_its_own_digest_when_it_was_pushed"
    ),
    "a push under another digest is refused": (
        f"{_MANIFESTS}::test_a_manifest_is_refused_when_it_is_pushed_under_a_digest_of_another"
    ),
    "moving a tag leaves the old image, untagged": (
        f"{_IMAGES}::test_the_old_image_stays_untagged_when_its_only_tag_moves"
    ),
    "an image without its layers is refused": f"{_MANIFESTS}::test_a_manifest_is_refused_when_a_layer_is_missing",
    "an index without its images is refused": (
        f"{_IMAGES}::test_an_index_is_refused_when_an_image_that_it_lists_is_missing"
    ),
    "an image that an index lists cannot be deleted": f"{_IMAGES}::test_an_image_of_an_index_goes_only_after_the_index",
    "moving an immutable tag is ImageTagAlreadyExistsException": (
        f"{_IMAGES}::test_a_tag_cannot_move_when_the_repository_is_immutable"
    ),
    "exclusion filters are whole-tag wildcards": (
        "tests/test_mutability.py::test_a_wildcard_covers_the_whole_tag_and_only_the_star_is_special"
    ),
    "listings have pages": f"{_IMAGES}::test_every_image_and_tag_is_listed_once_when_pages_are_small",
    "DescribeImages filters by tag status": f"{_IMAGES}::test_the_old_image_stays_untagged_when_its_only_tag_moves",
    "the size of an image is that of its layers": (
        "tests/operations/test_images.py::test_images_are_described_with_all_tags_and_their_size"
    ),
    "a layer has a URL to download it from": (
        "tests/test_layer_uploads.py::test_a_download_url_serves_the_layer_without_authorization_until_it_expires"
    ),
    "a token lasts for twelve hours": f"{_TOKENS}::test_a_token_is_good_for_twelve_hours_and_not_longer",
    "repository policies are enforced": (
        "tests/access/test_gate.py::test_an_image_is_pushed_to_and_pulled_from_another_account_with_ones_own_token"
    ),
    "replication copies images": (
        "tests/replication/test_status.py::test_a_copied_image_is_complete_in_each_destination"
    ),
    "lifecycle policies are evaluated": (
        "tests/lifecycle/test_runs.py::test_images_expire_a_day_after_the_policy_was_set_and_not_before"
    ),
    "a push is told by EventBridge's event": (
        "tests/test_events.py::test_a_push_by_tag_is_told_in_the_documented_form"
    ),
    "a caller is asked who it is": f"{_TOKENS}::test_a_request_is_unauthorized_when_its_password_is_not_ours",
    "a blob is pushed in one request": f"{_BLOBS}::test_a_blob_arrives_when_it_is_posted_at_once",
    "a blob is pushed in chunks": f"{_SPEC_BLOBS}::test_chunks_that_follow_each_other_make_a_blob",
    "a blob under another digest is refused": (
        f"{_BLOBS}::test_a_blob_is_refused_and_nothing_stays_when_its_digest_is_another"
    ),
    "the blobs of an image are pulled": f"{_BLOBS}::test_a_get_is_redirected_to_a_url_that_needs_no_authorization",
    "a part of a blob is pulled (Range)": f"{_BLOBS}::test_a_range_is_served_when_it_is_one_that_can_be",
    "an image without its blobs is refused": f"{_MANIFESTS}::test_a_manifest_is_refused_when_a_layer_is_missing",
    "referrers are listed": f"{_LISTINGS}::test_referrers_are_listed_filtered_and_in_pages",
    "tags are listed in pages": f"{_LISTINGS}::test_tags_are_listed_once_when_pages_are_followed",
    "an image is deleted by its digest": (
        f"{_MANIFESTS}::test_a_manifest_is_deleted_by_digest_with_its_tags_and_by_tag_alone"
    ),
    "a tag is deleted": f"{_MANIFESTS}::test_a_manifest_is_deleted_by_digest_with_its_tags_and_by_tag_alone",
    "what was pushed is an image of the API": (
        f"{_MANIFESTS}::test_a_manifest_is_read_in_the_other_face_as_it_was_pushed"
    ),
}
"""The test, of this repository, that shows what is said of local_ecr."""


ECR_ITSELF = {"a tag is deleted": "not documented"}
"""Where ECR's documents do not say yes; its API deletes tags by BatchDeleteImage."""


def comparison_page(measured: Mapping[str, Any]) -> str:
    """The page."""
    return "\n".join(
        [
            NOTE,
            "",
            "# local_ecr, moto, MiniStack, CNCF distribution and ECR",
            "",
            _filled(
                """
                Each server was started on one machine and asked the same. What is said of it is what it answered, with
                its own defaults; what is said of ECR is what its documents say. `make compare`
                measures again and writes this page and [measured.json](measured.json). A missing server keeps what was
                measured of it before.
                """
            ),
            "",
            _table(("server", "version", "measured"), [_version(name, measured[name]) for name in DATA_PLANE]),
            "",
            *_operations(measured),
            "",
            *_behaviours(measured),
            "",
            *_data_plane(measured),
            "",
        ]
    )


def _operations(measured: Mapping[str, Any]) -> Iterable[str]:
    found = {name: measured[name]["operations"] for name in API}
    yield "## The API, operation by operation"
    yield ""
    yield _filled(
        """
        `yes`: the operation was called once, with valid input and after what it needs, and answered with success. ECR
        does all of them. CNCF distribution has no such API.
        """
    )
    yield ""
    rows = [(f"`{one}`", *(_yes_or_no(found[name][one]) for name in API), "yes") for one in sorted(found["local_ecr"])]
    total = len(rows)
    counts = [f"{sum(outcome == 'yes' for outcome in found[name].values())} of {total}" for name in API]
    yield _table(
        ("operation", *(NAMES[name] for name in API), "ECR"), [*rows, ("**all**", *counts, f"{total} of {total}")]
    )
    yield ""
    yield "What a `no` was:"
    yield ""
    for name in API:
        refusals = Counter(outcome for outcome in found[name].values() if outcome != "yes")
        said = ", ".join(f"{outcome} ({count}×)" for outcome, count in sorted(refusals.items()))
        yield f"- {NAMES[name]}: {said or 'none'}{_MEANS.get(name, '')}"


_MEANS = {
    "local_ecr": "; the message says why, [operations.md](operations.md) too",
    "moto": "; boto3 takes that for a passing fault and tries again",
}


def _behaviours(measured: Mapping[str, Any]) -> Iterable[str]:
    yield "## What the API does"
    yield ""
    names = list(measured["local_ecr"]["behaviours"])
    yield _behaviour_table(API, {name: measured[name]["behaviours"] for name in API}, names)


def _data_plane(measured: Mapping[str, Any]) -> Iterable[str]:
    yield "## Below /v2/"
    yield ""
    yield _filled(
        """
        moto has no data plane. CNCF distribution asks nobody who it is unless it is told to. How it and local_ecr
        without quirks answer each MUST of the specification is in
        [`tests/distribution_spec`](../tests/distribution_spec), and why they differ in its
        [differences.json](../tests/distribution_spec/differences.json).
        """
    )
    yield ""
    names = list(measured["local_ecr"]["data plane"])
    yield _behaviour_table(DATA_PLANE, {name: measured[name]["data plane"] for name in DATA_PLANE}, names)


def _behaviour_table(servers: Sequence[str], found: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> str:
    rows = [
        (
            one,
            *(_yes_or_no(found[server].get(one, "")) for server in servers),
            ECR_ITSELF.get(one, "yes"),
            _link(SHOWN_BY[one]),
        )
        for one in names
    ]
    return _table(("behaviour", *(NAMES[server] for server in servers), "ECR", "shown of local_ecr by"), rows)


def _yes_or_no(outcome: str) -> str:
    if not outcome:
        return "–"
    return "yes" if outcome == "yes" else "no"


def _version(name: str, found: Mapping[str, Any]) -> tuple[str, str, str]:
    return NAMES[name], found["version"], found["date"]


def _link(test: str) -> str:
    path = test.partition("::")[0]
    return f"[{path.removeprefix('tests/')}](../{path})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)
