"""Connections to servers: kept for later, by the proxy that the environment names for each."""

import threading
from typing import Any

import urllib3

from ecr_steward.adapters.heads import POOLS
from ecr_steward.adapters.proxies import Proxies, Proxy


class Connections:
    """Safe to use from several threads."""

    def __init__(self, idle: int, proxies: Proxies | None = None) -> None:
        """``idle`` connections to each server are kept."""
        self._idle = idle
        self._proxies = proxies or Proxies({})
        self._managers: dict[Proxy | None, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy to a server; ``None``: directly. Raises InvalidNameError for other kinds than HTTP."""
        return self._proxies.proxy_for(scheme, host, port)

    def by(self, proxy: Proxy | None) -> urllib3.PoolManager:
        """What leads to servers, by this proxy or by none."""
        with self._lock:
            if (manager := self._managers.get(proxy)) is None:
                manager = self._managers[proxy] = self._opened(proxy)
            return manager

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    def _opened(self, proxy: Proxy | None) -> urllib3.PoolManager:
        kept: dict[str, Any] = {"maxsize": self._idle, "block": False}
        manager = (
            urllib3.ProxyManager(proxy.url, proxy_headers=proxy.headers, **kept)
            if proxy
            else urllib3.PoolManager(**kept)
        )
        manager.pool_classes_by_scheme = POOLS
        return manager
