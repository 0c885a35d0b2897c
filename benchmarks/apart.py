"""`smsdeclare` in this process; seconds and CPU seconds inside the sandbox's simulator go into a file.

python benchmarks/apart.py FILE COMMAND...

What is left of the whole is smsdeclare's own share: all but waiting for answers. Seconds add up, since in the sandbox
one POST is in flight at once unless something else is said.
"""

import json
import sys
import time
from pathlib import Path

from smsdeclare.cli.main import main
from smsdeclare.simulator.transport import Transport

spent = [0.0, 0.0]
send = Transport.send


def timed(self, request, **settings):
    begun = time.perf_counter(), time.thread_time()
    try:
        return send(self, request, **settings)
    finally:
        spent[0] += time.perf_counter() - begun[0]
        spent[1] += time.thread_time() - begun[1]


if __name__ == "__main__":
    Transport.send = timed
    path = Path(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]
    try:
        main()
    finally:
        path.write_text(json.dumps(spent), encoding="utf-8")
