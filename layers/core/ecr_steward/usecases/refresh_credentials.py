"""Schedule → fresh logins, each fetched under its role and tried before it is published, in every sink that is due."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ecr_steward.domain.credentials import (
    AuthorizationToken,
    StoredSecret,
    merge_docker_config,
    plan_dead_sink,
    plan_sink,
    published_login,
    registries_of,
    version_stamp,
)
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.notices import CredentialRefreshed
from ecr_steward.domain.outcome import CredentialOutcome
from ecr_steward.domain.plan import Plan, PublishCredential
from ecr_steward.domain.rules import Credential, Rules, SecretSink
from ecr_steward.errors import CredentialRefusedError, StewardError, gravest
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.credentials import Logins, Secrets
from ecr_steward.ports.messages import Notices


def refresh_credentials(
    home: RegistryRef, *, rules: Rules, logins: Logins, secrets: Secrets, notices: Notices, now: Clock
) -> tuple[CredentialOutcome, ...]:
    """Look at every sink of every credential, and refresh those that are due or hold a login that is refused.

    Credentials have no mode: an entry is there only to be kept fresh. What fails for one credential, or for one sink,
    does not keep the others from being refreshed; but no sink is written before all logins that it gets were tried.
    """
    refreshes = [_Refresh(credential, home, logins, secrets, notices, now) for credential in rules.credentials]
    return tuple(refresh.outcome() for refresh in refreshes)


@dataclass
class _Refresh:
    """One credential's way from facts to an outcome."""

    credential: Credential
    home: RegistryRef
    logins: Logins
    secrets: Secrets
    notices: Notices
    now: Clock
    errors: list[StewardError] = field(default_factory=list)
    _tokens: dict[RegistryRef, AuthorizationToken] = field(default_factory=dict)
    _trials: dict[AuthorizationToken, bool] = field(default_factory=dict)

    def outcome(self) -> CredentialOutcome:
        steps = self._steps()
        done: list[PublishCredential] = []
        if steps and (tokens := self._tried_tokens()):
            for step in steps:
                with self._going_on():
                    self._publish(step, tokens, done)
        error = gravest(self.errors) if self.errors else None
        return CredentialOutcome(
            f"credential {self.credential.name}",
            self.credential.name,
            plan=Plan(tuple(done or steps)),
            applied=bool(done) or error is None,
            remark="every sink is fresh" if not steps and error is None else None,
            error=error,
        )

    def _steps(self) -> list[PublishCredential]:
        """What the sinks need; one that cannot be read, or is somebody else's, leaves the others their turn."""
        steps: list[PublishCredential] = []
        for sink in self.credential.sinks:
            with self._going_on():
                stored = self.secrets.read(sink.secret)
                step = plan_sink(self.credential, sink, stored, home=self.home, now=self.now())
                step = step or self._step_for_dead(sink, stored)
                steps += [step] if step else []
        return steps

    def _step_for_dead(self, sink: SecretSink, stored: StoredSecret | None) -> PublishCredential | None:
        """What a fresh sink needs: new logins, where a registry refuses one that lies in it.

        A login is fetched to learn the registry's host, and because one that cannot be fetched is worth reporting now
        and not in some hours. Sinks that were written together hold the same logins, which are tried once.
        """
        refused = [
            registry
            for registry in registries_of(self.credential, self.home)
            if not self._may_still_pull(published_login(self._fetched(registry), sink, stored))
        ]
        return plan_dead_sink(self.credential, sink, refused, home=self.home) if refused else None

    def _fetched(self, registry: RegistryRef) -> AuthorizationToken:
        if registry not in self._tokens:
            self._tokens[registry] = self.logins.fetch(registry, self.credential.role)
        return self._tokens[registry]

    def _may_still_pull(self, published: AuthorizationToken) -> bool:
        if published not in self._trials:
            self._trials[published] = self.logins.may_pull(published)
        return self._trials[published]

    def _tried_tokens(self) -> list[AuthorizationToken]:
        """A login to each registry that does what it must; none at all unless all of them do."""
        registries = registries_of(self.credential, self.home)
        tokens: list[AuthorizationToken] = []
        for registry in registries:
            with self._going_on():
                tokens.append(self._tried_token(registry))
        return tokens if len(tokens) == len(registries) else []

    def _tried_token(self, registry: RegistryRef) -> AuthorizationToken:
        token = self._fetched(registry)
        if not self.logins.may_pull(token):
            raise CredentialRefusedError(
                f"{self._who(registry)} may not pull there, so nothing is published. Allow ecr:BatchGetImage and "
                "ecr:GetDownloadUrlForLayer to the role"
            )
        if self.logins.may_push(token):
            raise CredentialRefusedError(
                f"{self._who(registry)} may push there, so nothing is published. Take ecr:InitiateLayerUpload and "
                "ecr:PutImage from the role, or name a role that may only pull"
            )
        return token

    def _publish(
        self, step: PublishCredential, tokens: Sequence[AuthorizationToken], done: list[PublishCredential]
    ) -> None:
        """Write a sink, read anew since what it held before the logins were fetched and tried may be old by now.

        PutSecretValue knows no condition. What others write between this read and the write is no longer current then,
        and stays in the version labelled AWSPREVIOUS until the next write (PutSecretValue API reference).

        It is done before its notice is given: that only spares listeners their own schedule, and a retry, which finds
        the sink fresh, does not give it again.
        """
        stored = self.secrets.read(step.sink)
        text = merge_docker_config(step.sink, stored, tokens)
        write = self.secrets.create if stored is None else self.secrets.put
        write(step.sink, text, version_stamp(step.role, step.registries))
        done.append(step)
        self.notices.publish(
            CredentialRefreshed(
                credential=self.credential.name,
                registries=step.registries,
                sink=step.sink,
                role=step.role,
                expires_at=min(token.expires_at for token in tokens),
            )
        )

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """Do one part of the work. Its error is kept, and names the credential; the other parts have their turn."""
        try:
            yield
        except StewardError as error:
            error.rule = self.credential.name
            self.errors.append(error)

    def _who(self, registry: RegistryRef) -> str:
        return f"the credential {self.credential.name}: a login to {registry} as {self.credential.role}"
