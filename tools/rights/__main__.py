"""Compare the roles' rights with what they are for: `python -m rights` prints what is wrong; exit code 1 if any is.

`--record FOLDER` first replaces the table by what sandboxes wrote there, and the page; `--page` the page alone.
"""

import argparse
import sys
from pathlib import Path

from rights import calls, judged, page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rights", description=__doc__)
    parser.add_argument("--record", type=Path, metavar="FOLDER")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    if options.record is not None:
        calls.FILE.write_text(calls.written(calls.seen_in(options.record)), encoding="utf-8")
    seen = calls.read()
    if options.record is not None or options.page:
        page.FILE.write_text(page.page(seen), encoding="utf-8")
    complaints = list(judged.all_complaints(seen))
    print("\n".join(complaints) or f"rights: {len(seen.allowed)} calls, and each right is for one of them or explained")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
