"""The GitHub action, played: a pull request, its merge, and what people and machines do in between."""

import re
import signal
from contextlib import ExitStack

import pytest
import worlds
from processes import everyone, wait_until
from runner import BOT, PERSON, REPOSITORY, RIGHTS, GitHub, Team, finish, kill

from smsdeclare.formats import markdown
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server, wall_clock
from smsdeclare.simulator.settings import Settings

NOBODY = "sha256:" + "0" * 64
#: The state is on a branch of the repository; an answer that got lost counts as absent after a second.
STATE = "state: {backend: git}\nsettle: {after: 1s}\n"


def campaign(*numbers, text="Hello {{ name }}"):
    people = "".join(f'      - {{number: "{number}", name: N{number[-2:]}}}\n' for number in numbers)
    message = worlds.message(text, "people", "    options: {noStopClause: true}\n")
    return {"news.sms.yaml": f"receivers:\n  people:\n    numbers:\n{people}{message}"}


class Shop:
    """A team, and the server that its project sends by."""

    def __init__(self, folder, github, script, more):
        self.github, self.ahead = github, 0
        self.server = Server(Simulator(Settings()), script=script, clock=lambda: wall_clock() + self.ahead)
        self.team = Team(folder, github, {"smsdeclare.yaml": worlds.loopback(self.server.url, STATE + more)})

    def received(self):
        return sorted(line["receiver"] for line in self.server._simulator.journal)

    def comments(self, number):
        return [one["body"] for one in self.github.comments.get(number, [])]

    def approved(self, number):
        commit = self.github.pulls[number]["head"]["sha"]
        return [(one["state"], one["description"]) for one in self.github.statuses.get(commit, [])]


@pytest.fixture
def shop(tmp_path):
    """Begin one, by a server that does what the script says."""
    with ExitStack() as opened:

        def begin(script="", more=""):
            here = Shop(tmp_path, opened.enter_context(GitHub().serving()), script, more)
            opened.enter_context(here.server)
            return here

        yield begin


def test_a_pull_request_is_planned_merged_and_sent_once(shop):
    here = shop()
    number = here.team.pull_request(campaign(*everyone(2)))
    here.github.comments[number] = [here.github.comment_by(PERSON, f"Nice {place}") for place in range(3)]
    planned = here.team.plan(number)
    assert 0 == planned.code
    (comment,) = here.comments(number)[3:]
    assert comment.startswith(markdown.MARKER)
    assert planned.outputs["digest"] in comment
    assert planned.outputs["digest"] in planned.summary
    assert [("success", f"2 to send, 0 to take back. {planned.outputs['digest']}")] == here.approved(number)

    here.team.push_again(number, campaign(*everyone(3)))
    again = here.team.plan(number)
    (comment,) = here.comments(number)[3:]
    assert again.outputs["digest"] in comment
    assert planned.outputs["digest"] not in comment

    commit = here.team.merge(number)
    applied = here.team.apply(commit)
    assert (0, again.outputs["digest"]) == (applied.code, applied.outputs["digest"])
    assert "3 sent" in applied.summary
    assert f"pull request #{number}" in applied.summary
    assert everyone(3) == here.received()
    assert 0 == here.team.apply(commit).code
    assert everyone(3) == here.received()


def test_a_file_that_changed_in_between_is_refused(shop):
    here = shop()
    number = here.team.pull_request(campaign(*everyone(2)))
    assert 0 == here.team.plan(number).code
    here.team.push({"more.sms.yaml": worlds.message("Bye", f'"{worlds.number(7)}"', name="bye")})
    refused = here.team.apply(here.team.merge(number))
    assert (7, "7") == (refused.code, refused.outputs["exit-code"])
    assert [] == here.received()


def test_a_runner_that_is_killed_is_followed_by_one_that_sends_the_rest(shop):
    here = shop("aaah")
    number = here.team.pull_request(campaign(*everyone(6)))
    assert 0 == here.team.plan(number).code
    commit = here.team.merge(number)
    process, _ = here.team.start("push", commit, {})
    wait_until(lambda: here.server.held.is_set() or process.poll() is not None)
    kill(process)
    assert 4 == len(here.received())
    here.ahead += 40 * 60  # what was claimed and not posted can be told from what was
    # The first look finds those who have it; that they are listed is what the second believes an absence by.
    assert [4, 0] == [here.team.apply(commit, inputs={"wait": "0s"}).code for _ in range(2)]
    assert everyone(6) == here.received()


def test_a_canceled_job_lets_what_is_in_flight_end(shop):
    here = shop("h")
    number = here.team.pull_request(campaign(*everyone(3)))
    assert 0 == here.team.plan(number).code
    commit = here.team.merge(number)
    process, place = here.team.start("push", commit, {})
    wait_until(lambda: here.server.held.is_set() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    process.terminate()
    ended = finish(process, place)
    assert 130 == ended.code
    assert "exit code 130" in ended.summary
    assert 1 == len(here.received())


def test_only_what_the_action_itself_wrote_counts(shop):
    here = shop()
    number = here.team.pull_request(campaign(*everyone(1)))
    planned = here.team.plan(number)
    digest = planned.outputs["digest"]
    own = here.github.statuses.pop(here.github.pulls[number]["head"]["sha"])
    forged = {**own[0], "creator": PERSON}
    elsewhere = {**own[0], "context": "smsdeclare (other/smsdeclare.yaml)"}
    here.github.statuses[here.github.pulls[number]["head"]["sha"]] = [forged, elsewhere]
    here.github.comments[number] = [here.github.comment_by(PERSON, f"{markdown.MARKER}\nDigest `{digest}`")]
    commit = here.team.merge(number)
    refused = here.team.apply(commit)
    assert 7 == refused.code
    assert "has no plan of its last commit" in refused.summary
    assert [] == here.received()
    here.github.statuses[here.github.pulls[number]["head"]["sha"]].append({**own[0], "creator": BOT})
    assert 0 == here.team.apply(commit).code
    assert everyone(1) == here.received()


def test_a_plan_that_the_policy_refuses_approves_nothing(shop):
    here = shop(more="policy: {maxReceivers: 1}\n")
    number = here.team.pull_request(campaign(*everyone(2)))
    planned = here.team.plan(number)
    assert 5 == planned.code
    (comment,) = here.comments(number)
    assert "The policy refuses this plan" in comment
    assert "failure" == here.approved(number)[0][0]
    refused = here.team.apply(here.team.merge(number))
    assert 7 == refused.code
    assert [] == here.received()


def test_files_that_are_not_valid_take_the_old_plan_away(shop):
    here = shop()
    number = here.team.pull_request(campaign(*everyone(1)))
    assert 0 == here.team.plan(number).code
    here.team.push_again(number, campaign(*everyone(1), text="Hello {{ nome }}"))
    planned = here.team.plan(number)
    assert 1 == planned.code
    assert re.search(r"^::error file=news\.sms\.yaml,line=\d+", planned.log, re.MULTILINE)
    (comment,) = here.comments(number)
    assert "No SMS plan" in comment
    assert "error" == here.approved(number)[0][0]


@pytest.mark.parametrize(("head", "actor"), [("mallory/shop", "mallory"), (REPOSITORY, "dependabot[bot]")])
def test_a_pull_request_from_outside_is_only_checked(shop, head, actor):
    here = shop()
    checked = here.team.plan(here.team.pull_request(campaign(*everyone(1)), head=head), keys=False, actor=actor)
    assert 0 == checked.code
    assert "no secrets and no plan" in checked.summary
    assert [] == here.github.calls


def test_who_pushes_to_main_has_approved_nothing_until_somebody_gives_the_digest(shop):
    here = shop()
    assert 0 == here.team.apply(here.team.push({"notes.txt": "Nothing to send\n"})).code
    commit = here.team.push(campaign(*everyone(2)))
    refused = here.team.apply(commit)
    assert 7 == refused.code
    digest = re.search(r"sha256:[0-9a-f]{64}", refused.summary)[0]
    assert 7 == here.team.job("workflow_dispatch", commit, {}, inputs={"digest": NOBODY}).code
    assert 7 == here.team.job("workflow_dispatch", commit, {}, inputs={"digest": "yes"}).code
    assert [] == here.received()
    assert 0 == here.team.job("workflow_dispatch", commit, {}, inputs={"digest": digest}).code
    assert everyone(2) == here.received()


@pytest.mark.parametrize(
    ("event", "mode", "told"),
    [
        ("pull_request_target", "auto", "Use pull_request instead"),
        ("pull_request", "apply", "after the merge"),
        ("push", "send", "it may be auto, validate, plan or apply"),
    ],
)
def test_what_would_be_unsafe_is_refused(shop, event, mode, told):
    here = shop()
    number = here.team.pull_request(campaign(*everyone(1)))
    pull = here.github.pulls[number]
    refused = here.team.job(event, pull["head"]["sha"], {"pull_request": pull}, inputs={"mode": mode})
    assert 1 == refused.code
    assert told in refused.summary
    assert [] == here.github.calls


def test_a_right_that_is_missing_is_named(shop):
    here = shop()
    here.github.rights = RIGHTS - {"statuses"}
    refused = here.team.plan(here.team.pull_request(campaign(*everyone(1))))
    assert 1 == refused.code
    assert "The job needs `statuses: write`" in refused.summary


def test_the_log_obeys_no_text_of_a_message(shop):
    here = shop()
    planned = here.team.plan(here.team.pull_request(campaign(*everyone(1), text="Hi\n::add-mask::all")))
    stopped = re.search(r"^::stop-commands::(\w+)\n(.*?)^::\1::$", planned.log, re.MULTILINE | re.DOTALL)
    assert "SMS plan for" in stopped[2]
    assert "add-mask" in stopped[2]
    assert "add-mask" not in planned.log.replace(stopped[0], "")
