"""SMS as scripts send them that people write: three senders, to compare smsdeclare with.

    python benchmarks/senders.py loop URL NUMBERS DONE

`loop`     the official client in a loop. The first exception ends it. Begun again, it begins with the first receiver.
`list`     the official client in a loop. An exception is printed, and the next receiver's turn comes. Who was sent to
           is added to the file DONE, durably, and passed over when it is begun again.
`retries`  as `list`, by requests with urllib3's retries: three of them, for POST too, on errors of the network and on
           502, 503 and 504. A status below 400 counts as sent.

Each ends with 0 if nothing failed. NUMBERS has a number a line.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import ovh
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

SERVICE = "sms-ab12345-1"
#: How long each of them waits for an answer. Seconds.
TIMEOUT = 4.0


def text(number):
    return f"Hello {number[-4:]}"


def job(number):
    return {"message": text(number), "receivers": [number], "sender": "SMSDECLARE", "noStopClause": True}


def official(url):
    """The official client, which takes its keys from the environment."""
    ovh.client.ENDPOINTS["here"] = url
    return ovh.Client(endpoint="here", timeout=TIMEOUT)


def loop(url, numbers, _):
    client = official(url)
    for number in numbers:
        client.post(f"/sms/{SERVICE}/jobs", **job(number))
    return 0


def with_list(send, numbers, path):
    """Send to everyone who is not in the list yet."""
    done = path.read_text().split() if path.exists() else []
    failed = 0
    with path.open("a") as listed:
        for number in numbers:
            if number in done:
                continue
            try:
                send(number)
            except Exception as error:  # noqa: BLE001 - as people write it
                print(f"{number}: {error}", file=sys.stderr)
                failed += 1
            else:
                listed.write(f"{number}\n")
                listed.flush()
                os.fsync(listed.fileno())
    return int(failed > 0)


def with_official(url, numbers, done):
    client = official(url)
    return with_list(lambda number: client.post(f"/sms/{SERVICE}/jobs", **job(number)), numbers, done)


def with_retries(url, numbers, done):
    session = requests.Session()
    retry = Retry(total=3, allowed_methods=None, status_forcelist=(502, 503, 504))
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    key, secret, consumer = (
        os.environ[f"OVH_{name}"] for name in ("APPLICATION_KEY", "APPLICATION_SECRET", "CONSUMER_KEY")
    )

    def send(number):
        place, body, now = f"{url}/sms/{SERVICE}/jobs", json.dumps(job(number)), str(int(time.time()))
        signed = hashlib.sha1(f"{secret}+{consumer}+POST+{place}+{body}+{now}".encode()).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Ovh-Application": key,
            "X-Ovh-Consumer": consumer,
            "X-Ovh-Timestamp": now,
            "X-Ovh-Signature": f"$1${signed}",
        }
        session.post(place, data=body, headers=headers, timeout=TIMEOUT).raise_for_status()

    return with_list(send, numbers, done)


if __name__ == "__main__":
    _, name, where, receivers, sent = sys.argv
    senders = {"loop": loop, "list": with_official, "retries": with_retries}
    sys.exit(senders[name](where, Path(receivers).read_text().split(), Path(sent)))
