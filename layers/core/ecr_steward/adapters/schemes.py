"""Whether a registry is spoken to by https or, on this machine alone, by http."""

import ssl

import urllib3

from ecr_steward.adapters.transport import Transport
from ecr_steward.errors import RegistryUnavailableError

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_PROBE_SECONDS = 10.0


def scheme_of(host: str, *, insecure: bool = False, transport: Transport | None = None) -> str:
    """https; http only where a registry on this machine, or one that may be so, does not speak TLS.

    ``transport`` knows the proxy to another machine. Raises RegistryUnavailableError.
    """
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in _LOOPBACK and not name.endswith(".localhost") and not insecure:
        return "https"
    url = f"https://{host}/v2/"
    manager = (transport or Transport()).manager_to(url)
    try:
        manager.request("GET", url, retries=False, timeout=_PROBE_SECONDS, redirect=False)
    except urllib3.exceptions.SSLError as error:
        return "https" if isinstance(error.args[0], ssl.SSLCertVerificationError) else "http"
    except urllib3.exceptions.HTTPError as error:
        if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProtocolError):
            return "http"  # nobody speaks TLS there; whether anybody speaks at all, the first request says
        raise RegistryUnavailableError(f"{host} does not answer: {type(error).__name__}") from error
    return "https"
