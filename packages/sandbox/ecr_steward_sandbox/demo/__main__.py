"""Play the demo: ``python -m ecr_steward_sandbox.demo [--image LAYOUT] [--build FOLDER]``.

Exits with 1 if an act fails, with 2 on misuse.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

INTERRUPTED = 130


def main() -> int:
    """Play the demo and say how it ended. Ctrl-C and SIGTERM end it early, and leave nothing."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--image", type=Path, metavar="LAYOUT", help="folder with an OCI image layout of your own")
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/build"), help="what `sam build` wrote")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="ecr-steward-demo-") as folder:
            return _play(arguments.build, arguments.image, Path(folder))
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is left running.", file=sys.stderr)
        return INTERRUPTED


def _play(build: Path, image: Path | None, folder: Path) -> int:
    print("Starting the sandbox ...", flush=True)
    # Imported here: moto and boto3 take seconds, in which a person would see nothing, or a traceback after Ctrl-C.
    from rich.console import Console  # noqa: PLC0415

    from ecr_steward_sandbox.demo.layout import release, write_layout  # noqa: PLC0415
    from ecr_steward_sandbox.demo.narrator import Narrator  # noqa: PLC0415
    from ecr_steward_sandbox.demo.stage import SPOKE, Stage  # noqa: PLC0415
    from ecr_steward_sandbox.demo.story import play  # noqa: PLC0415
    from ecr_steward_sandbox.oci_layout import Layout, LayoutError  # noqa: PLC0415
    from ecr_steward_sandbox.sandbox import Sandbox  # noqa: PLC0415

    console = Console(soft_wrap=True)
    try:
        layout = Layout(image) if image else write_layout(folder / "image")
        children = release(layout, "1.4.2").children
    except LayoutError as error:
        console.print(f"make demo: {error}", style="red", markup=False)
        return 2
    narrator = Narrator(console)
    with Sandbox(build, data=folder / "data", spokes=[SPOKE]) as sandbox:
        narrator.said(f"The built template.yaml is deployed at {sandbox.endpoint_url}, on this machine alone.")
        if image:
            narrator.said(f"The image is {layout.digest} of {image}.")
        narrator.said(f"Each version pushed is an index of its own over the same {len(children)} manifest(s).")
        narrator.said(
            "A line with > is what somebody does, with f a function that runs, with ok a claim that was checked."
        )
        ending = play(Stage(sandbox, layout, narrator, folder))
    return 0 if ending.failed_act is None else 1


if __name__ == "__main__":
    sys.exit(main())
