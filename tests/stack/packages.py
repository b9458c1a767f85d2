"""Installing: Debian packages of whose services none is started, and cached folders that are whole or not there."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from schemas.errors import ConfigurationError

_POLICY = Path("/usr/sbin/policy-rc.d")  # Debian asks it before it starts a service; 101 means no
_APT = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")


def debian(reason: str, *packages: str) -> None:
    """Install Debian packages. ConfigurationError says how by hand where we cannot."""
    by_hand = f"{reason}; install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise ConfigurationError(f"{by_hand} (there is no apt-get here)")
    if os.geteuid() != 0:
        raise ConfigurationError(f"{by_hand} as root: apt-get install --no-install-recommends {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        run([*_APT, "update"], by_hand, environment)
        run([*_APT, "install", "--no-install-recommends", *packages], by_hand, environment)


def program(name: str, reason: str, *packages: str) -> Path:
    """Where a program lies; installed from Debian packages when it is missing."""
    if shutil.which(name) is None and packages:
        debian(f"{name} is missing ({reason})", *packages)
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(f"{name} is missing ({reason}); install it and put it on the PATH")
    return Path(found)


def cached(cache: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled once. It is filled under another name: an interrupted one is begun anew."""
    folder, fresh = cache / name, cache / f"{name}.new"
    cache.mkdir(parents=True, exist_ok=True)
    with alone(cache / "lock"):
        if not folder.exists():
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            fill(fresh)
            fresh.rename(folder)
    return folder


def go_program(cache: Path, name: str, module: str) -> Path:
    """The folder of the cache that holds a program built from its Go module."""

    def build(folder: Path) -> None:
        go = program("go", f"{module} is built by Go 1.24 or newer")
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        run([go, "install", module], "Go 1.24 or newer and a Go module proxy are needed", environment)

    return cached(cache, name, build)


def jars(cache: Path, pom: Path) -> Path:
    """A folder with what a pom names, plugins in zip files unpacked; another one for each edition of the pom."""
    edition = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    return cached(cache, f"{pom.stem}-{edition}", partial(_fetch, pom)) / "lib"


def _fetch(pom: Path, folder: Path) -> None:
    maven = program("mvn", f"{pom.stem} is fetched from Maven artifacts", "maven")
    shutil.copy(pom, folder / "pom.xml")
    base: list[str | Path] = [maven, "-q", "-B", "-f", folder / "pom.xml", f"-DoutputDirectory={folder / 'lib'}"]
    remedy = "a Maven repository is needed; say which in ~/.m2/settings.xml"
    run([*base, "dependency:copy-dependencies", "-DincludeScope=runtime", "-DexcludeTypes=zip"], remedy)
    unpack = ["dependency:unpack-dependencies", "-DincludeTypes=zip", "-Dmdep.unpack.includes=**/*.jar"]
    run([*base, *unpack], remedy)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time holds a lock file; the next waits."""
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], remedy: str, environment: Mapping[str, str] | None = None) -> None:
    """Run an installer to its end. ConfigurationError with its last words and what to do."""
    words = [str(part) for part in command]
    done = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-800:]
        raise ConfigurationError(f"`{' '.join(words)}` failed with {done.returncode}: {said}\n{remedy}")


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """While packages are installed; a policy that is there already is whoever runs this machine's."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", "ascii")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
