"""``python -m sandbox.demo [--image LAYOUT] [--build FOLDER]``: play the story; exit 1 if an act fails, 2 on misuse."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from sandbox.demo.layout import Layout, LayoutError, release, write_layout
from sandbox.demo.narrator import Narrator
from sandbox.demo.stage import Stage
from sandbox.demo.story import play
from sandbox.sandbox import Sandbox


def main() -> int:
    """Play the demo and say how it ended."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--image", type=Path, metavar="LAYOUT", help="folder with an OCI image layout of your own")
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/build"), help="what `sam build` wrote")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="ecr-steward-demo-") as folder:
        try:
            layout = Layout(arguments.image) if arguments.image else write_layout(Path(folder) / "image")
            release(layout, "1.4.2")
        except LayoutError as error:
            console.print(f"make demo: {error}", style="red", markup=False)
            return 2
        with Sandbox(arguments.build, data=Path(folder) / "data") as sandbox:
            narrator = Narrator(console)
            narrator.said(f"The built template.yaml is deployed into a sandbox at {sandbox.endpoint_url}.")
            narrator.said("> is what somebody does, f a function that runs, and ok a claim that was checked.")
            ending = play(Stage(sandbox, layout, narrator))
    return 0 if ending.failed_act is None else 1


if __name__ == "__main__":
    sys.exit(main())
