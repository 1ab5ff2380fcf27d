"""A real PostgreSQL server in a temporary folder, on loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clustering_platform_tests.e2e.processes import free_port

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Start a server and yield the URL of its database; skips the test where PostgreSQL is not installed."""
    path = os.pathsep.join([*map(str, _PLACES), os.environ.get("PATH", "")])
    initdb, pg_ctl = (shutil.which(program, path=path) for program in ("initdb", "pg_ctl"))
    if not initdb or not pg_ctl:
        pytest.skip("no PostgreSQL server is installed (initdb and pg_ctl not found)")
    options = _as_postgres(folder)
    data, port = folder / "postgres", free_port()
    subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "me"], check=True, **options)
    settings = f"-p {port} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    subprocess.run(
        [pg_ctl, "-D", data, "-l", folder / "postgres.log", "-o", settings, "-w", "start"], check=True, **options
    )
    try:
        yield f"postgresql://me:not-a-secret@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "stop"], check=True, **options)


def _as_postgres(folder: Path) -> dict[str, object]:
    """Return how to start a program so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {"stdout": subprocess.DEVNULL}
    shutil.chown(folder, user="postgres")
    return {"user": "postgres", "cwd": folder, "stdout": subprocess.DEVNULL}
