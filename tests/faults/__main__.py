"""`python -m tests.faults`: the full round on the real stack; prints the table of docs/reliability.md."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults.deployment import deployment
from tests.faults.faults import FAULTS
from tests.faults.rounds import meet


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--uploads", type=int, default=10_000, help="in all, spread evenly over the faults")
    parser.add_argument("--seconds", type=float, default=20, help="that a fault lasts")
    parser.add_argument("--only", default="", help="faults whose names hold this text")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # takes everything down with it
    asked = [fault for fault in FAULTS if options.only in fault.name]
    if not asked:
        parser.error(f"no fault is called so; there are {', '.join(fault.name for fault in FAULTS)}")
    reasons = {fault: fault.missing() for fault in asked}
    left_out = [f"left out: {fault.name}: {reason}" for fault, reason in reasons.items() if reason]
    faults = [fault for fault, reason in reasons.items() if not reason]
    if not faults:
        parser.error("\n".join(left_out))
    with tempfile.TemporaryDirectory() as folder, deployment(Path(folder), small_disks=True) as site:
        met = meet(site, faults, options.uploads // len(faults), options.seconds, lambda line: print(line, flush=True))
    swollen = [f"too much memory gained: {each.fault}: {role}" for each in met for role in each.swollen]
    sound = all(each.count.sound for each in met) and not swollen
    print(*left_out, *swollen, "sound" if sound else "NOT SOUND", sep="\n")
    raise SystemExit(0 if sound else 1)


if __name__ == "__main__":
    main()
