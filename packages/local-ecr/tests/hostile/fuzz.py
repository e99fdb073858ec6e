"""Give one of the targets to atheris: `python -m tests.hostile.fuzz TARGET [OPTION OF LIBFUZZER]...`.

What it finds goes into the first folder that is named, and what makes a target fail to `-artifact_prefix`.
"""

import sys

import atheris

with atheris.instrument_imports(include=["local_ecr"]):
    from tests.hostile.targets import TARGETS


def main() -> None:
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
