"""What the disk refuses, told as what it is: that it is full or cannot be written is no fault of the code."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from local_ecr.errors import DiskRefusedError

logger = logging.getLogger(__name__)

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_SQLITE_REFUSALS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@contextmanager
def telling_what_the_disk_refuses() -> Iterator[None]:
    """Raises DiskRefusedError, which says what the disk said; lets other errors pass."""
    try:
        yield
    except OSError as cause:
        if cause.errno not in _REFUSALS:
            raise
        logger.error("the data folder cannot be written: %s", cause)
        raise DiskRefusedError(cause.strerror or str(cause)) from cause
    except sqlite3.OperationalError as cause:
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _SQLITE_REFUSALS:  # the low byte is the primary code
            raise
        logger.error("the data folder cannot be written: %s", cause)
        raise DiskRefusedError(str(cause)) from cause
