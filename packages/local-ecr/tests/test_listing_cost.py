"""A page costs what is on it, however much the repository holds: counted in steps of SQLite's machine."""

import pytest

from local_ecr.images.mutability import MUTABLE, Mutability
from local_ecr.images.referrers import fit_page
from local_ecr.names import Digest, Registry
from local_ecr.state import images, repositories
from local_ecr.state.database import Database
from local_ecr.state.images import Image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SUBJECT = Digest(f"sha256:{'f' * 64}")


@pytest.fixture
def database(tmp_path):
    """A database whose one repository (id 1) is empty."""
    made = Database(tmp_path / "state.sqlite3")
    with made.writing() as connection:
        repositories.create(
            connection,
            Registry("111122223333", "us-east-1"),
            "team/app",
            created_at=0,
            mutability=Mutability(MUTABLE, ()),
            scan_on_push=False,
            encryption={},
        )
    yield made
    made.close()


def fill(database, numbers):
    with database.writing() as connection:
        for number in numbers:
            digest = Digest(f"sha256:{number * 7919:064x}")
            image = Image(0, digest, MANIFEST, None, None, SUBJECT, 1, 1, 0.0, "ACTIVE")
            made_of = {"layers": frozenset(), "images": frozenset()}
            stored = images.add(connection, 1, image, b"{}", annotations={}, **made_of)
            images.set_tag(connection, 1, f"v{number}", stored)


def steps_of_a_page(database, ask):
    counted = 0

    def count():
        nonlocal counted
        counted += 1

    with database.reading() as connection:
        connection.set_progress_handler(count, 10)
        try:
            assert len(ask(connection)) == 20
        finally:
            connection.set_progress_handler(None, 0)
    return counted


@pytest.mark.parametrize(
    "ask",
    [
        lambda connection: images.page(connection, 1, "ANY", "ACTIVE", 50, 20),
        lambda connection: images.page(connection, 1, "TAGGED", "ANY", 50, 20),
        lambda connection: images.identifiers_page(connection, 1, "ANY", "ACTIVE", (50, "v49"), 20),
        lambda connection: images.tag_names(connection, 1, "v5", 20),
        lambda connection: fit_page(images.referrers(connection, 1, SUBJECT, "ACTIVE", None, 50), 19)[0],
    ],
    ids=["page", "tagged page", "identifiers", "tags", "referrers"],
)
def test_a_page_takes_as_many_steps_when_the_repository_has_ten_times_as_many_images(database, ask):
    fill(database, range(200))
    few = steps_of_a_page(database, ask)
    fill(database, range(200, 2000))
    assert steps_of_a_page(database, ask) <= few * 1.5
