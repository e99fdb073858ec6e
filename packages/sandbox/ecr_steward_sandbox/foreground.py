"""`ecr-steward sandbox up`: the sandbox in the foreground, for a person with a second terminal."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ecr_steward.events.self_check import is_self_check
from ecr_steward_sandbox.accounts import SPOKE_ACCOUNT, connects_accounts
from ecr_steward_sandbox.assembly import assemble
from ecr_steward_sandbox.delivery.deployed import UnsupportedWiringError
from ecr_steward_sandbox.delivery.ledger import BusEvent, Delivery, Entry, Fate, Invocation
from ecr_steward_sandbox.delivery.patterns import InvalidPatternError
from ecr_steward_sandbox.deploy.errors import DeployError
from ecr_steward_sandbox.function_logs import has_failed, held_back, is_only_planned, log_lines, outcomes, short
from ecr_steward_sandbox.rulebook_layer import RulebookLayer
from ecr_steward_sandbox.rulebook_watch import InvalidRulebookError, RulebookSource, RulebookWatch, Version
from ecr_steward_sandbox.sandbox import SECRET_KEY, Sandbox
from ecr_steward_sandbox.told import event_line, say
from local_ecr import Ending
from local_ecr.options import sentence_of

NAP = 1.0  # seconds; how late a schedule may fire


def up(
    build: Path | None = None,
    port: int = 0,
    *,
    rulebook: RulebookSource | None = None,
    host: str = "127.0.0.1",
    public_host: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Run until Ctrl-C or SIGTERM. Call it on the main thread. Exits with one line where it cannot start.

    Deploys `build`, what `sam build` wrote, or without it what is installed, which needs a `rulebook`. A rulebook is in
    force from the start, and again each time that its file is saved. Registries have the ports after `port`.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="ecr-steward-sandbox-") as folder, Ending() as ending:
            if build is None and rulebook is None:
                raise ValueError("there is neither a rulebook nor a build to deploy")
            # Before it is read: the file may be saved while the sandbox starts.
            version = rulebook.version() if rulebook else None
            compiled = rulebook.compile() if rulebook else ""
            deployed = build or assemble(Path(folder) / "build", compiled)
            sandbox = Sandbox(
                deployed,
                data=Path(folder) / "data",
                port=port,
                registry_port=port + 1 if port else 0,
                host=host,
                public_host=public_host,
                spokes=[SPOKE_ACCOUNT] if connects_accounts(deployed) else [],
                parameters=parameters,
                listener=_tell,
            )
            with sandbox, _kept_in_force(sandbox, rulebook, version):
                if build and compiled:
                    RulebookLayer(sandbox).deploy_compiled(compiled)
                say(_welcome(sandbox, rulebook))
                for problem in sandbox.engine.problems():
                    say(f"WARNING: {problem}")
                run_schedules(sandbox, ending)
                say("Ending ...")
    except InvalidRulebookError as error:
        raise SystemExit(str(error)) from error
    except (DeployError, UnsupportedWiringError, InvalidPatternError) as error:
        raise SystemExit(f"ecr-steward sandbox up: {error}") from error
    except OSError as error:
        raise SystemExit(f"ecr-steward sandbox up: {sentence_of(error)}") from error


@contextlib.contextmanager
def _kept_in_force(sandbox: Sandbox, rulebook: RulebookSource | None, in_force: Version | None) -> Iterator[None]:
    """Put each saved version of the rulebook in force, for the length of a with block."""
    if rulebook is None:
        yield
        return
    end = threading.Event()
    watch = RulebookWatch(rulebook, in_force, RulebookLayer(sandbox).deploy_compiled, say, end)
    thread = threading.Thread(target=watch.run, name="rulebook", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def run_schedules(sandbox: Sandbox, ending: Ending) -> None:
    """Fire schedules by the sandbox's clock until the end."""
    while not ending.wait(NAP):
        sandbox.engine.fire_due_schedules()


def _welcome(sandbox: Sandbox, rulebook: RulebookSource | None) -> str:
    region = sandbox.regions[0]
    registry = sandbox.registry_url(region).removeprefix("http://")
    fire = f"curl -X POST -H @{sandbox.control_token.file} {sandbox.endpoint_url}/_sandbox/schedules"
    schedules = "".join(
        f"\n  {fire}/{schedule.logical_id}   # {schedule.expression}" for schedule in sandbox.engine.wiring.schedules
    )
    others = "".join(
        f"\n  {account} {other}: {sandbox.registry_url(other, account)}"
        for account in sandbox.deployments
        for other in sandbox.regions
        if (account, other) != (sandbox.account, region)
    )
    path = f"\nThe rulebook is {rulebook.path}: each time it is saved, it is put in force." if rulebook else ""
    return f"""\
Sandbox ready at {sandbox.endpoint_url} (Ctrl-C ends it).{path} In another terminal:

  export AWS_ENDPOINT_URL={sandbox.endpoint_url} AWS_REGION={region} AWS_DEFAULT_REGION={region}
  export AWS_ACCESS_KEY_ID={sandbox.account} AWS_SECRET_ACCESS_KEY={SECRET_KEY}
  export PATH={Path(sys.executable).parent}:$PATH   # the pinned aws
  aws ecr create-repository --repository-name team-a/api

  aws ecr get-login-password | docker login --username AWS --password-stdin {registry}
  docker tag IMAGE {registry}/team-a/api:1.0.0 && docker push {registry}/team-a/api:1.0.0
or
  aws ecr get-login-password | skopeo login --tls-verify=false --username AWS --password-stdin {registry}
  skopeo copy --all --dest-tls-verify=false oci:IMAGE docker://{registry}/team-a/api:1.0.0

  curl {sandbox.endpoint_url}/_sandbox/invocations   # which functions ran, with their logs{schedules}

Other registries (an account's id is the access key of its root):{others or " none"}

What happens from now on:"""


def _tell(entry: Entry) -> None:
    if text := "\n".join(told_lines(entry)):
        say(text)


def told_lines(entry: Entry) -> Iterator[str]:
    """One entry for a person to read. What went its expected way is told once: by the function that it reached.

    A self-check that goes its way, every three minutes, is not shown.
    """
    match entry:
        case BusEvent() if is_self_check(entry.event):
            return
        case Invocation() if entry.outcome == "ok" and _is_of_self_checks(entry.event):
            return
        case BusEvent():
            is_forwarded = str(entry.event.get("source")).startswith("aws.") and _name(entry.bus_arn) != "default"
            if not is_forwarded:
                yield event_line(entry.event)
        case Delivery():
            if entry.fate is not Fate.DELIVERED:
                way = f"{_name(entry.source)} -> {_name(entry.target)}"
                yield f"delivery  {way}: {entry.fate.value.upper()} {entry.error_message}"
        case Invocation():
            yield from _run_lines(entry)


def _is_of_self_checks(started_with: Any) -> bool:
    """Whether a function was started with a self-check, or with a batch of nothing else."""
    if not isinstance(started_with, dict) or "Records" not in started_with:
        return is_self_check(started_with)
    with contextlib.suppress(ValueError):  # a message may hold anything
        return all(is_self_check(json.loads(record["body"])) for record in started_with["Records"])
    return False


def _run_lines(run: Invocation) -> Iterator[str]:
    said = list(log_lines(run.log))
    ended = "failed" if run.outcome == "ok" and has_failed(run.payload, said) else run.outcome
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    line = f"function  {run.function}: {ended} in {run.seconds:.2f} s{attempt}"
    yield line if run.outcome == "ok" else f"{line}: {_reason(run.payload)}"
    for outcome in outcomes(said):
        yield from (f"            {short(told)}" for told in _outcome_lines(outcome))
    for logged in said:
        if "reason" in logged:
            yield f"            {logged['message']}: {short(logged['reason'])}"


def _outcome_lines(outcome: dict[str, Any]) -> Iterator[str]:
    """What was found and planned. What else is remarked, such as a rule that asks for nothing here, is in the log."""
    if verdict := outcome.get("verdict"):
        because = "; ".join([*outcome["reasons"], *outcome["waived"], *outcome.get("remarks", ())])
        yield f"verdict {verdict} on {outcome['subject']}" + (f": {because}" if because else "")
    else:
        yield from (f"left behind: {outcome['subject']}: {objection}" for objection in held_back(outcome))
    yield from (f"violation: {why}" for why in outcome["violations"])
    planned = "only planned: " if is_only_planned(outcome) else ""
    yield from (f"{planned}{step['what']}: {step['why']}" for step in outcome["steps"])


def _reason(payload: Any) -> str:
    return f"{payload.get('errorType')}: {payload.get('errorMessage')}" if isinstance(payload, dict) else str(payload)


def _name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
