"""`ecr-steward demo`: play the story in a sandbox of its own."""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

FAILED: Final = 1
INTERRUPTED: Final = 130


def run(build: Path | None, image: Path | None, rulebook: str) -> int:
    """Play the demo and say how it ended; returns the exit code. Ctrl-C and SIGTERM end it early, and leave nothing.

    Deploys `build`, what `sam build` wrote, or without it what is installed with `rulebook`, a compiled one. `image` is
    a folder with an OCI image layout, in place of the demo's own image.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="ecr-steward-demo-") as folder:
            return _play(build, image, rulebook, Path(folder))
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is left running.", file=sys.stderr)
        return INTERRUPTED


def _play(build: Path | None, image: Path | None, rulebook: str, folder: Path) -> int:
    print("Starting the sandbox ...", flush=True)
    # Imported here: moto and boto3 take seconds, in which a person would see nothing, or a traceback after Ctrl-C.
    from rich.console import Console  # noqa: PLC0415

    from ecr_steward_sandbox.assembly import assemble  # noqa: PLC0415
    from ecr_steward_sandbox.demo.layout import release, write_layout  # noqa: PLC0415
    from ecr_steward_sandbox.demo.narrator import Narrator  # noqa: PLC0415
    from ecr_steward_sandbox.demo.stage import SPOKE, Stage  # noqa: PLC0415
    from ecr_steward_sandbox.demo.story import play  # noqa: PLC0415
    from ecr_steward_sandbox.oci_layout import Layout, LayoutError  # noqa: PLC0415
    from ecr_steward_sandbox.sandbox import Sandbox  # noqa: PLC0415

    try:
        layout = Layout(image) if image else write_layout(folder / "image")
        children = release(layout, "1.4.2").children
    except LayoutError as error:
        raise SystemExit(f"ecr-steward demo: {error}") from error
    narrator = Narrator(Console(soft_wrap=True))
    deployed = build or assemble(folder / "build", rulebook)
    with Sandbox(deployed, data=folder / "data", spokes=[SPOKE]) as sandbox:
        narrator.said(f"The template is deployed at {sandbox.endpoint_url}, on this machine alone.")
        if image:
            narrator.said(f"The image is {layout.digest} of {image}.")
        narrator.said(f"Each version pushed is an index of its own over the same {len(children)} manifest(s).")
        narrator.said("A line with > is an action, with f a function that ran, with ok a claim that was checked.")
        ending = play(Stage(sandbox, layout, narrator, folder))
    return 0 if ending.failed_act is None else FAILED
