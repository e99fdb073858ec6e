"""``python -m sam_local [--build FOLDER] [--only TEXT ...]``: run the cases; exit 1 if one fails."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ecr_steward_sandbox.accounts import SPOKE_ACCOUNT, SPOKE_TEMPLATE
from ecr_steward_sandbox.demo.layout import release, write_layout
from ecr_steward_sandbox.sandbox import Sandbox
from sam_local import engine
from sam_local.cases import CASES, Case
from sam_local.effects import only_the_role_acts
from sam_local.invocation import Answer, Sam
from sam_local.quiet import quiet_build, quiet_template
from sam_local.state import HOME, Seen
from sam_local.world import World

ALL_WITHIN = 1800.0


def main() -> int:
    """Run the chosen cases beside a Docker engine that exists only for this."""
    parser = argparse.ArgumentParser(prog="python -m sam_local", description=__doc__)
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/build"), help="what `sam build` wrote")
    parser.add_argument(
        "--only",
        action="append",
        metavar="TEXT",
        help="only cases whose function, event or circumstances contain this; can be given more than once",
    )
    parser.add_argument("--inside", type=Path, metavar="ARCHIVE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    chosen = [case for case in CASES if any(text in str(case) for text in arguments.only or [""])]
    if not chosen:
        parser.error(f"no case contains {arguments.only!r}")
    if missing := engine.what_is_missing():
        print(f"skipped: {missing}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    with tempfile.TemporaryDirectory(prefix="ecr-steward-sam-local-") as folder:
        if arguments.inside:
            return _run(chosen, arguments.build.resolve(), arguments.inside, Path(folder))
        archive = Path(folder) / "root.tar"
        engine.lay_out_root(archive)
        again = [sys.executable, "-m", "sam_local", *sys.argv[1:], "--inside", str(archive)]
        return engine.run_inside(again, timeout=ALL_WITHIN)


def _run(cases: Sequence[Case], build: Path, archive: Path, folder: Path) -> int:
    docker = engine.connect()
    address = engine.bridge_address(docker)
    layout = write_layout(folder / "image")
    quiet = quiet_build(build, folder)
    console = Console(soft_wrap=True, highlight=False)
    with Sandbox(
        quiet,
        data=folder / "data",
        host=address,
        public_host=address,
        spokes=[SPOKE_ACCOUNT],
        spoke_template=quiet_template(SPOKE_TEMPLATE, folder),
    ) as sandbox:
        image = engine.import_base_image(docker, archive, {"AWS_ENDPOINT_URL": sandbox.endpoint_url})
        environment = {"AWS_ENDPOINT_URL": sandbox.endpoint_url, "AWS_DEFAULT_REGION": HOME}
        sam = Sam(quiet / "template.yaml", engine.ARCHITECTURE, image, environment)
        world = World(sandbox, layout, release(layout, "1.4.2"))
        failed = 0
        started = time.monotonic()
        for case in cases:
            invoke = partial(sam.invoke, case.function)
            answer, seen = world.play(case.function, case.load(), case.given, invoke)
            complaints = list(_complaints(case, answer, seen))
            failed += bool(complaints)
            mark = "[red]✗[/]" if complaints else "[green]✓[/]"
            console.print(mark, escape(str(case)), f"[dim]{answer.seconds:.1f} s[/]: {case.effect.__doc__}")
            for complaint in complaints:
                console.print(f"    {complaint}", markup=False)
            if complaints:
                console.print(answer.output + answer.log, markup=False)
    took = time.monotonic() - started
    console.print(f"[dim]{took:.0f} s for {len(cases)} invocations[/]")
    console.print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _complaints(case: Case, answer: Answer, seen: Seen) -> Iterator[str]:
    if answer.complaint:
        yield answer.complaint
    yield from only_the_role_acts(seen)
    yield from case.effect(seen)


if __name__ == "__main__":
    sys.exit(main())
