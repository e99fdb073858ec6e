"""A copy of the checkout, in which faults are planted and tests run."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from mutants.faults import Fault

PACKAGES = ("layers/core", "packages/cli", "packages/sandbox", "packages/local-ecr", "tools", ".")
"""What tests import, as `make` has it."""
OURS = Path(__file__).parents[1]
"""Where the plugin is found when another checkout has none."""
ENVIRONMENT, TOOLS = ".venv", ".tools"
BUILT = Path(".aws-sam/build")


class Place:
    """The copy: its own sources and tests, and the environments of the checkout."""

    def __init__(self, checkout: Path, root: Path) -> None:
        self._checkout = checkout
        self.root = root
        listed = _git(checkout, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        for name in filter(None, listed):
            if (checkout / name).is_symlink() or (checkout / name).exists():  # what is deleted is listed, too
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, root / name, follow_symlinks=False)
        (root / TOOLS).symlink_to(checkout / TOOLS)
        self._lay_out_environment()
        self._lay_out_build()
        self._running: subprocess.Popen[str] | None = None
        self._seconds = itertools.count(1)

    @property
    def environment(self) -> Mapping[str, str]:
        """Of the processes that run here."""
        path = os.pathsep.join([*(str(self.root / package) for package in PACKAGES), str(OURS)])
        return {**os.environ, "PYTHONPATH": path, "PATH": f"{self.root}/.venv/bin:{os.environ['PATH']}"}

    @contextlib.contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Have the fault here for the length of a with block."""
        file = self.root / fault.file
        text, modified = file.read_text(encoding="utf-8"), file.stat().st_mtime_ns
        file.write_text(fault.planted_in(text), encoding="utf-8")
        # Python takes bytecode for the source's where length and second are the same, and a run may take less than one.
        planted = modified + next(self._seconds) * 1_000_000_000
        os.utime(file, ns=(planted, planted))
        try:
            self._renew_built_template(fault)
            yield
        finally:
            file.write_text(text, encoding="utf-8")
            os.utime(file, ns=(modified, modified))
            self._renew_built_template(fault)

    def run(self, command: Sequence[str], folder: Path, *, seconds: float) -> tuple[int | None, str]:
        """The exit code and what was printed; neither where the time was over, and all of its processes are ended."""
        with subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as self._running:
            try:
                printed, _ = self._running.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.stop()
                return None, ""
            except BaseException:
                self.stop()
                raise
            return self._running.returncode, printed

    def stop(self) -> None:
        """End what runs here, with all that it has started."""
        if self._running is not None and self._running.returncode is None:
            os.killpg(self._running.pid, signal.SIGKILL)

    def _lay_out_environment(self) -> None:
        """Have an environment that leads here, also for a command that is run with no PYTHONPATH.

        All of it is links, but for what names the checkout: the first line of programs, and links to the packages.
        """
        for folder, names in ((Path("bin"), "*"), (self._site_packages(), "*editable*")):
            for entry in (self._checkout / ENVIRONMENT / folder).iterdir():
                place = self.root / ENVIRONMENT / folder / entry.name
                place.parent.mkdir(parents=True, exist_ok=True)
                if entry.is_symlink():
                    place.symlink_to(entry.readlink())
                elif entry.is_file() and entry.match(names) and (text := self._naming_checkout(entry)):
                    place.write_text(text.replace(str(self._checkout), str(self.root)), encoding="utf-8")
                    place.chmod(entry.stat().st_mode)
                else:
                    place.symlink_to(entry)
        shutil.copy2(self._checkout / ENVIRONMENT / "pyvenv.cfg", self.root / ENVIRONMENT)

    def _site_packages(self) -> Path:
        (found,) = (self._checkout / ENVIRONMENT).glob("lib/*/site-packages")
        return found.relative_to(self._checkout / ENVIRONMENT)

    def _naming_checkout(self, file: Path) -> str | None:
        """What is in a text that names the checkout."""
        content = file.read_bytes()
        return content.decode() if str(self._checkout).encode() in content and b"\0" not in content else None

    def _lay_out_build(self) -> None:
        """Have what `make build` left: links, but for the template, which faults are planted in."""
        (self.root / BUILT).mkdir(parents=True)
        for entry in (self._checkout / BUILT).iterdir():
            if entry.name != "template.yaml":
                (self.root / BUILT / entry.name).symlink_to(entry)
        shutil.copy2(self._checkout / BUILT / "template.yaml", self.root / BUILT)

    def _renew_built_template(self, fault: Fault) -> None:
        """Do what `sam build` does to a template: say where the built code lies. A minute shorter for each fault."""
        if fault.file != "template.yaml":
            return
        built = yaml_parse((self._checkout / BUILT / "template.yaml").read_text(encoding="utf-8"))["Resources"]
        template = yaml_parse((self.root / "template.yaml").read_text(encoding="utf-8"))
        for name, resource in template["Resources"].items():
            for key in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
                resource["Properties"][key] = built[name]["Properties"][key]
        (self.root / BUILT / "template.yaml").write_text(json.dumps(template), encoding="utf-8")


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout  # noqa: S603
