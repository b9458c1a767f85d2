"""Whether this container's process answers: the pages' /health, or a worker's metrics where NAFUDA_METRICS_PORT is set.

It says that the process lives and can answer, not that its servers are there: /ready and the metrics say that. A worker
that waits for a broker is well; starting it anew would mend nothing.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen


def address() -> str:
    """What to ask. A worker's metrics come first: who sets their port has no pages in this container."""
    metrics = os.environ.get("NAFUDA_METRICS_PORT", "0")
    if metrics != "0":
        host = os.environ.get("NAFUDA_METRICS_HOST", "127.0.0.1")
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{metrics}/metrics"
    return f"http://127.0.0.1:{os.environ.get('NAFUDA_WEB_PORT', '8420')}/health"


def main() -> int:
    """0 when it answered, else 1 and why."""
    try:
        with urlopen(address(), timeout=4) as answer:
            answer.read(1)
    except (URLError, OSError) as error:
        sys.stderr.write(f"{address()}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
