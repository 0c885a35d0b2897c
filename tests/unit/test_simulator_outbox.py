"""The simulator's journal in a file that several processes share."""

import json
import stat
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.settings import Service, Settings

NOON = 1764586800.0
SETTINGS = Settings(bearer_tokens=("token",), services=(Service(credits=1e9),))
PATH = "/1.0/sms/sms-ab12345-1"


def call(outbox, method, path, body=None):
    sent = b"" if body is None else json.dumps(body).encode()
    response = outbox.handle(method, PATH + path, {"Authorization": "Bearer token"}, sent, NOON)
    assert response.status == 200, response.body
    return json.loads(response.body)


def post(outbox, count=1, **fields):
    receivers = [f"+3363998{place:04}" for place in range(count)]
    return call(outbox, "POST", "/jobs", {"message": "Hello", "receivers": receivers, **fields})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.jsonl"


def test_each_sms_is_a_line(path):
    outbox = Outbox(path, SETTINGS)
    post(outbox, 3, message="two\nlines")
    post(outbox)
    assert path.read_bytes().count(b"\n") == 4
    assert outbox.sms() == [json.loads(line) for line in path.read_text().splitlines()]


def test_only_the_owner_reads_it(path):
    post(Outbox(path, SETTINGS))
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert ({0o600}, 2) == (modes, len(list(path.parent.iterdir())))


def test_a_new_outbox_knows_what_was_sent(path):
    ids = post(Outbox(path, SETTINGS), 2)["ids"]
    assert ids == call(Outbox(path, SETTINGS), "GET", "/outgoing")


def test_what_sms_have_in_common_with_those_before_is_held_once_however_many_they_are(path):
    post(Outbox(path, SETTINGS), 3, message="a text")
    outbox = Outbox(path, SETTINGS)
    post(outbox)
    held = list(outbox._simulator.history.all("sms-ab12345-1"))
    assert (4, 2, 1) == (len(held), *(len({id(getattr(one, name)) for one in held}) for name in ("message", "options")))
    assert [json.loads(line) for line in path.read_text().splitlines()] == outbox.sms() == outbox._simulator.journal


def test_what_differs_within_a_post_and_between_posts_is_read_back_as_it_was(path):
    settings = replace(SETTINGS, rates={"33": 1.0, "44": 2.5})
    outbox = Outbox(path, settings)
    receivers = ["+447700900001", "+447700900002", "+33639980001", "+447700900003", "+33639980002", "+33639980003"]
    for text in ('"receiver":"+33639980009",', "\\", "\\"):
        body = {"message": text, "sender": "SMSDECLARE", "receivers": receivers, "tag": "one tag"}
        call(outbox, "POST", "/jobs", body)
    later = {"message": "later", "receivers": receivers, "differedPeriod": 5}
    kept, gone, *_ = call(outbox, "POST", "/jobs", later)["ids"]
    call(outbox, "DELETE", f"/jobs/{gone}")
    call(outbox, "POST", "/jobs", later)
    again = Outbox(path, settings)
    assert 1e9 - 5 * 10.5 + 1.0 == call(again, "GET", "")["creditsLeft"]
    for asked in ("", "/jobs", "/outgoing", "/outgoing?tag=one%20tag", f"/jobs/{kept}"):
        assert call(outbox, "GET", asked) == call(again, "GET", asked)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(lines[known:] == again._simulator.history.since(known) for known in range(len(lines) + 1))
    assert outbox.sms() == again.sms() == [line for line in lines if line.get("id", gone) != gone]


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_after_lines_were_taken_out_by_hand_new_ids_are_above_the_rest(path, kept):
    ids = post(Outbox(path, SETTINGS), 3)["ids"]
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[kept])
    (new,) = post(Outbox(path, SETTINGS))["ids"]
    assert ids[kept] < new
    assert [ids[kept], new] == [line["id"] for line in Outbox(path, SETTINGS).sms()]


@pytest.mark.parametrize("first", [7, 27814658, 1 << 60])
def test_ids_that_were_written_by_hand_are_gone_on_from(path, first):
    post(Outbox(path, SETTINGS))
    path.write_text(json.dumps({**json.loads(path.read_text()), "id": first}) + "\n")
    assert [first, *post(Outbox(path, SETTINGS), 2)["ids"]] == [line["id"] for line in Outbox(path, SETTINGS).sms()]


def test_a_line_that_stands_twice_is_named(path):
    post(Outbox(path, SETTINGS))
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(ValueError, match=r"outbox\.jsonl:2: this line is no record"):
        Outbox(path, SETTINGS).sms()


def test_two_outboxes_see_each_other(path):
    first, second = Outbox(path, SETTINGS), Outbox(path, SETTINGS)
    ids = [post(outbox)["ids"][0] for outbox in (first, second, first, second)]
    assert (4, ids, ids) == (len(set(ids)), call(first, "GET", "/outgoing"), call(second, "GET", "/outgoing"))


def test_what_was_cancelled_is_no_longer_among_the_sms(path):
    outbox = Outbox(path, SETTINGS)
    kept, gone = post(outbox, 2, differedPeriod=5)["ids"]
    call(outbox, "DELETE", f"/jobs/{gone}")
    assert [kept] == [line["id"] for line in Outbox(path, SETTINGS).sms()]
    assert {"cancelled": gone, "at": NOON} == json.loads(path.read_text().splitlines()[-1])


@pytest.mark.parametrize("keep", [0, 1, 50])
def test_a_torn_last_line_is_cut_off(path, keep):
    post(Outbox(path, SETTINGS), 2)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:keep])
    post(Outbox(path, SETTINGS))
    lines = path.read_bytes().splitlines(keepends=True)
    assert (2, first, True) == (len(lines), lines[0], lines[1].endswith(b"}\n"))


def test_a_whole_line_without_its_end_did_not_happen(path):
    post(Outbox(path, SETTINGS), 2)
    path.write_bytes(path.read_bytes()[:-1])
    assert len(Outbox(path, SETTINGS).sms()) == 1


def test_a_file_that_was_replaced_is_read_anew(path):
    outbox = Outbox(path, SETTINGS)
    post(outbox, 2)
    path.unlink()
    assert outbox.sms() == []


def test_a_file_that_became_shorter_is_read_anew(path):
    outbox = Outbox(path, SETTINGS)
    post(outbox, 2)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert len(outbox.sms()) == 1


@pytest.mark.parametrize("line", ["hello", "{}", "[]", '{"cancelled": 1}'])
def test_a_line_that_is_no_record_is_named(path, line):
    post(Outbox(path, SETTINGS))
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"outbox\.jsonl:2: this line is no record"):
        Outbox(path, SETTINGS).sms()


def test_a_write_that_fails_leaves_nothing_in_memory(path, monkeypatch):
    outbox = Outbox(path, SETTINGS)
    post(outbox)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("smsdeclare.simulator.outbox.os.write", full)
        with pytest.raises(OSError, match="No space left"):
            post(outbox)
    assert len(outbox.sms()) == 1


def test_threads_take_turns(path):
    outbox = Outbox(path, SETTINGS)
    threads = [threading.Thread(target=post, args=(outbox, 3)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [line["id"] for line in outbox.sms()]
    assert (24, ids) == (len(set(ids)), sorted(ids))


WRITER = """
import json, pathlib, sys
from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.settings import Service, Settings
settings = Settings(bearer_tokens=("token",), services=(Service(credits=1e9),))
outbox = Outbox(pathlib.Path(sys.argv[1]), settings)
receivers = [f"+3363998{n:04}" for n in range(7)]
print("ready", flush=True)
sys.stdin.readline()
for turn in range(20):
    body = json.dumps({"message": "x" * 100, "receivers": receivers, "tag": f"{sys.argv[2]}-{turn}"}).encode()
    headers = {"Authorization": "Bearer token"}
    answer = outbox.handle("POST", "/1.0/sms/sms-ab12345-1/jobs", headers, body, 1764586800.0)
    assert answer.status == 200, answer.body
"""


def test_several_processes_append_at_once(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert 4 * 20 * 7 == len(lines) == len({line["id"] for line in lines})
    assert {f"{number}-{turn}" for number in range(4) for turn in range(20)} == {line["tag"] for line in lines}
    assert [lines[start]["tag"] for start in range(0, 560, 7)] == [
        lines[start + 6]["tag"] for start in range(0, 560, 7)
    ]
