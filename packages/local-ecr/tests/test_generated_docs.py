"""The pages of docs that the code writes are what the code says now."""

from pathlib import Path

import pytest

from local_ecr import Quirks
from local_ecr.control.operations import HANDLERS, REFUSED
from local_ecr.control.protocol import service_model
from local_ecr.data import routes
from local_ecr.tables import PATHS, main, pages

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_committed_page_is_what_the_code_says(name):
    committed = (DOCS / name).read_text(encoding="utf-8")

    assert committed == pages()[name], "write it again: .venv/bin/python -m local_ecr.tables docs"


def test_every_page_is_written_where_it_is_wanted(tmp_path, capsys):
    main([str(tmp_path / "new")])

    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()} == pages()
    assert len(capsys.readouterr().out.splitlines()) == len(pages())


def test_every_operation_has_one_row_and_a_reason_when_it_is_refused():
    rows = [line for line in pages()["operations.md"].splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == sorted(service_model().operation_names)
    for row in rows:
        name = row.split("`")[1]
        wanted = f"| `{name}` | implemented |  |" if name in HANDLERS else f"| `{name}` | refused | {REFUSED[name]} |"
        assert row == wanted


def test_every_quirk_has_a_row():
    page = pages()["quirks.md"]

    assert all(f"| `{name}` | {what} |" in page for name, what, _ in Quirks.table())


def test_every_request_of_the_data_plane_has_a_row_with_a_path_that_leads_to_it():
    page = pages()["access.md"]
    filled = {"NAME": "team/app", "DIGEST": f"sha256:{'a' * 64}", "ID": "0", "REFERENCE": "1.0"}

    for (kind, method), operation in routes.OPERATIONS.items():
        path = PATHS[kind]
        assert f"| `{method} {path}` |" in page
        for word, value in filled.items():
            path = path.replace(word, value)
        quirks = Quirks.none()
        route = routes.parse_path(path.removeprefix("/v2/"), quirks)
        assert (route.kind, routes.operation_of(route, method, quirks)) == (kind, operation)


def test_a_permission_is_told_with_its_resource():
    page = pages()["access.md"]

    assert "| `ListImageReferrers` | `ecr:BatchGetImage` | `repository/NAME` | no |" in page
    assert "| `GetAuthorizationToken` | `ecr:GetAuthorizationToken` | `*` | no |" in page
    assert "| `PUT /v2/NAME/manifests/REFERENCE` | `ecr:PutImage` | `repository/NAME` | yes |" in page
