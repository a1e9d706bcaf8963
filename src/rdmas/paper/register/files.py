"""A reader's files, opened with care: regular files only, of limited size, inside the folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NoReturn

from rdmas.paper.problems import CohortError, Problem

#: Bytes that a file may have; a register of 10,000 patients takes about one million.
LIMIT = 50_000_000

#: Nothing waits at an opened file, no link is followed, no terminal becomes ours.
_CAREFULLY = os.O_RDONLY | sum(
    getattr(os, flag, 0)
    for flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)

_KINDS = (
    (stat.S_ISDIR, "is a folder; a file must stand there"),
    (stat.S_ISFIFO, "is a pipe and not a regular file; save what it brings as a file"),
    (stat.S_ISCHR, "is a device and not a regular file; nothing was read from it"),
    (stat.S_ISBLK, "is a device and not a regular file; nothing was read from it"),
    (stat.S_ISSOCK, "is a socket and not a regular file; nothing was read from it"),
)


def read_bytes(
    path: str | Path, limit_bytes: int = LIMIT, folder: str | Path | None = None
) -> bytes:
    """Return the content of a file that somebody else has named.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, or a link to a file in the same folder.
    limit_bytes : int, optional
        A longer file is refused.
    folder : str or pathlib.Path, optional
        Folder that a link must not leave; by default the one in which `path` stands.

    Returns
    -------
    bytes

    Raises
    ------
    CohortError
        If there is no such file, it is no regular file, leaves the folder, is too long or may
        not be read. Devices and pipes are not even opened.

    Examples
    --------
    >>> read_bytes("/dev/zero")
    Traceback (most recent call last):
    rdmas.paper.problems.CohortError: zero: is a device and not a regular file; ...
    """
    path = Path(path)
    folder = path.parent if folder is None else Path(folder)
    try:
        _refuse_odd(path, path.stat().st_mode)
        target = os.path.realpath(path, strict=True)
        if not Path(target).is_relative_to(os.path.realpath(folder)):
            _refuse(path, "is a link out of its folder, which is not followed; copy the file there")
        with os.fdopen(os.open(target, _CAREFULLY), "rb") as file:
            # What is open may not be what was looked at, and may grow.
            status = os.fstat(file.fileno())
            _refuse_odd(path, status.st_mode)
            data = b"" if status.st_size > limit_bytes else file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, CohortError):
            raise
        _refuse_unreadable(path, error)
    if max(status.st_size, len(data)) > limit_bytes:
        size = f"{limit_bytes / 1e6:,.0f} MB" if limit_bytes >= 1e6 else f"{limit_bytes:,} bytes"
        _refuse(path, f"is longer than the limit of {size}; keep only what is needed in it")
    return data


def _refuse_odd(path: Path, mode: int) -> None:
    """Raise an error unless the mode is that of a regular file."""
    if stat.S_ISREG(mode):
        return
    rules = [rule for is_kind, rule in _KINDS if is_kind(mode)]
    _refuse(path, rules[0] if rules else "is not a regular file")


def _refuse_unreadable(path: Path, error: Exception) -> NoReturn:
    """Say in a sentence why the operating system doesn't give a file."""
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        link = path.is_symlink()
        _refuse(path, "is a link to nothing" if link else f"not found in {path.parent}")
    if code == errno.ENOTDIR:
        raise CohortError(Problem(str(path.parent), "is a file; name the data folder")) from None
    if code == errno.ELOOP:
        _refuse(path, "is a link that leads back to itself")
    if code in (errno.EACCES, errno.EPERM):
        _refuse(path, "may not be read; ask for the permission to read it")
    if code == errno.ENAMETOOLONG:
        _refuse(path, "is a name too long for a file")
    _refuse(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")


def _refuse(path: Path, rule: str) -> NoReturn:
    """Raise the error of a file."""
    raise CohortError(Problem(path.name or str(path), rule)) from None
