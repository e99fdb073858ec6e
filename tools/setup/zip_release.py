"""zip_release.py BUILD ZIP: what `sam build` wrote as one archive that `sam deploy` takes without building.

The same files give the same bytes: entries are sorted and carry no time, owner or machine.
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BESIDE = ("spoke.yaml", "samconfig.toml", "LICENSE")
"""Files of the checkout that a deployment wants beside the built template."""
EPOCH = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Write the archive."""
    build, archive = Path(sys.argv[1]), Path(sys.argv[2])
    archive.parent.mkdir(parents=True, exist_ok=True)
    folder = archive.stem
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
        for name, path in sorted([*_built(build), *((name, ROOT / name) for name in BESIDE)]):
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
            written.writestr(entry, path.read_bytes())
    print(archive)


def _built(build: Path) -> Iterator[tuple[str, Path]]:
    for path in build.rglob("*"):
        if path.is_file() and not path.name.startswith(".complete-"):
            yield path.relative_to(build).as_posix(), path


if __name__ == "__main__":
    main()
