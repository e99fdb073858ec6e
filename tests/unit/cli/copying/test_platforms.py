"""``copy --platform`` of an index and of a single image."""

from pathlib import Path

import pytest

from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward_cli.copying.arguments import run
from ecr_steward_cli.copying.layout import LayoutStore
from tests.given.graphs import fill, image_of, index_of

CONFIG = b'{"os": "linux", "architecture": "arm64", "variant": "v8"}'
IMAGE = image_of(CONFIG, b"layer")
NAMELESS = image_of(b"{}", b"layer")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LayoutStore:
    """A folder with an image for linux/arm64/v8, and with one whose config names no platform."""
    monkeypatch.chdir(tmp_path)
    store = LayoutStore(Path("source"))
    fill(store, [], [CONFIG, b"{}", b"layer"])
    store.put_manifest(IMAGE, ImageTag("1.0"))
    store.put_manifest(NAMELESS, ImageTag("2.0"))
    return store


def there() -> Digest | None:
    return LayoutStore(Path("there")).digest_of(ImageTag("1.0"))


@pytest.mark.parametrize("platform", ["linux/arm64", "linux/arm64/v8"])
def test_a_single_image_is_copied_when_it_is_for_the_platform(source: LayoutStore, platform: str) -> None:
    """use P12."""
    assert run([f"--platform={platform}", "oci:source:1.0", "oci:there"]) == 0

    assert there() == IMAGE.digest


@pytest.mark.parametrize(
    ("platforms", "missing"),
    [
        (["linux/s390x"], "linux/s390x"),
        (["linux/arm64/v7"], "linux/arm64/v7"),
        (["windows/arm64"], "windows/arm64"),
        (["linux/arm64", "linux/amd64"], "linux/amd64"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_single_image_is_not_copied_when_it_is_for_another_platform(
    source: LayoutStore, platforms: list[str], missing: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """use P12: another platform was copied, with exit code 0."""
    wanted = [f"--platform={platform}" for platform in platforms]

    assert run([*wanted, *options, "oci:source:1.0", "oci:there"]) == 1

    assert there() is None
    assert capsys.readouterr().err == (
        f"Error: ES863 1.0: {IMAGE.digest} is an image for linux/arm64/v8, and not for {missing}\n"
    )


def test_an_image_that_names_no_platform_is_not_copied_as_one_for_any(
    source: LayoutStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """use P12."""
    assert run(["--platform=linux/arm64", "oci:source:2.0", "oci:there:1.0"]) == 1

    assert there() is None
    assert "is an image for no platform, and not for linux/arm64" in capsys.readouterr().err


def test_a_platform_of_an_index_is_taken_by_its_list(source: LayoutStore) -> None:
    """use P12."""
    source.put_manifest(index_of(NAMELESS, IMAGE, platforms=["linux/amd64", "linux/arm64"]), ImageTag("1.0"))

    assert run(["--platform=linux/amd64", "oci:source:1.0", "oci:there"]) == 0

    assert there() == NAMELESS.digest


@pytest.mark.parametrize("platform", ["arm64", "linux", "linux/", "linux/arm/v7/x", "Linux/amd64"])
def test_a_platform_needs_system_and_architecture(
    source: LayoutStore, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """use P12."""
    with pytest.raises(SystemExit):
        run([f"--platform={platform}", "oci:source:1.0", "oci:there"])

    assert f"Error: ES862 --platform {platform} is not OS/ARCH or OS/ARCH/VARIANT" in capsys.readouterr().err
