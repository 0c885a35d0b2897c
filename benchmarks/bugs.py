"""The bugs that `planted_bugs.py` plants: what each is here, the text that it replaces, and the tests it breaks."""

from typing import NamedTuple


class Change(NamedTuple):
    """One text of one file, which must stand there exactly once, and what is put in its place."""

    file: str
    before: str
    after: str


class Bug(NamedTuple):
    """A mistake that somebody could make."""

    #: As it is known; for `--only` too.
    name: str
    #: What is planted, in the words of this project.
    planted: str
    changes: tuple[Change, ...]
    #: The tests that turn red, all of them.
    gates: tuple[str, ...]


_FILE, _SQLITE, _RELATIONAL, _READING, _STATEMENTS, _COPIES = (
    f"smsdeclare/ledgers/{name}.py"
    for name in ("sqlite_file", "sqlite", "relational", "reading", "statements", "copies")
)
_OVH, _ANSWERS, _TRANSPORT = (f"smsdeclare/providers/{name}.py" for name in ("ovh", "ovh_answers", "transport"))
_APPLY, _OUTCOMES, _SETTLE, _CANCEL, _COMPARE, _STATES, _RUN = (
    f"smsdeclare/{name}.py" for name in ("apply", "outcomes", "settle", "cancel", "compare", "states", "cli/run")
)

_GIT, _BRANCH, _SERVER, _NAMING = (
    f"smsdeclare/ledgers/{name}.py" for name in ("git", "git_branch", "postgresql_server", "naming")
)
_AHEAD, _REPOSITORY = "smsdeclare/ahead.py", "smsdeclare/cli/repository.py"

_BOUNDARIES, _SETTLING, _EVERYWHERE = (
    f"tests/crash/test_{name}.py" for name in ("boundaries", "settling", "everywhere")
)

BUGS = (
    Bug(
        "drop file fsync",
        "the state is written with `synchronous = OFF`",
        (Change(_FILE, '"PRAGMA synchronous = EXTRA"', '"PRAGMA synchronous = OFF"'),),
        (
            "tests/crash/test_syncs.py::test_every_commit_waits_for_the_disk_and_its_folder",
            "tests/crash/test_power_loss.py::test_every_write_is_whole_or_not_there_and_what_was_durable_stays",
        ),
    ),
    Bug(
        "drop directory fsync",
        "the folder of a new state is not synced",
        (Change(_FILE, "        os.fsync(descriptor)\n", "        pass\n"),),
        (
            "tests/crash/test_syncs.py::test_the_folder_is_synced_after_the_state_has_its_name",
            "tests/crash/test_power_loss.py::test_every_write_is_whole_or_not_there_and_what_was_durable_stays",
        ),
    ),
    Bug(
        "fsync after POST",
        "the claim is committed without a sync; the outcome's commit makes up for it",
        (
            Change(
                _RELATIONAL,
                "        with self._transaction() as run:\n"
                "            self._check(run, epoch)\n"
                "            for earlier, became in outcomes:\n",
                '        self._connection.execute("PRAGMA synchronous = OFF")\n'
                "        with self._transaction() as run:\n"
                "            self._check(run, epoch)\n"
                "            for earlier, became in outcomes:\n",
            ),
            Change(
                _RELATIONAL,
                "            with self._transaction() as run:\n                return sum(self._answer(",
                '            self._connection.execute("PRAGMA synchronous = EXTRA")\n'
                "            with self._transaction() as run:\n                return sum(self._answer(",
            ),
        ),
        ("tests/crash/test_power_loss.py::test_every_write_is_whole_or_not_there_and_what_was_durable_stays",),
    ),
    Bug(
        "rename before fsync",
        "a new state has its name before anything in it is written",
        (
            Change(
                _FILE,
                "        connection = _connect(draft)\n",
                "        os.link(draft, path)\n        connection = _connect(draft)\n",
            ),
            Change(
                _FILE, "            os.link(draft, path)\n        finally:\n", "            pass\n        finally:\n"
            ),
        ),
        (
            "tests/crash/test_push.py::test_a_restore_that_is_killed_leaves_no_state_or_all_of_it",
            "tests/crash/test_push.py::test_a_pull_that_is_killed_leaves_no_copy_or_all_of_it",
        ),
    ),
    Bug(
        "ignore fsync error",
        "an error of the folder's sync is passed over",
        (
            Change(
                _FILE,
                "        os.fsync(descriptor)\n",
                "        with suppress(OSError):\n            os.fsync(descriptor)\n",
            ),
        ),
        ("tests/crash/test_syncs.py::test_a_folder_that_can_not_be_synced_makes_no_state_that_counts",),
    ),
    Bug(
        "sync again and go on",
        "a commit that the disk failed is made once more",
        (
            Change(
                _FILE,
                '        connection.execute("COMMIT")\n',
                "        try:\n"
                '            connection.execute("COMMIT")\n'
                "        except sqlite3.OperationalError:\n"
                '            connection.execute("COMMIT")\n',
            ),
        ),
        ("tests/crash/test_syncs.py::test_a_commit_that_fails_is_not_tried_again_and_nothing_is_posted",),
    ),
    Bug(
        "POST before record",
        "the job is posted inside the claim's transaction, before its commit",
        (
            Change(_APPLY, "class _Turn(NamedTuple):\n", "_EARLY = {}\n\n\nclass _Turn(NamedTuple):\n"),
            Change(
                _APPLY,
                "        return self.provider.prepare(job, claim.tag, claim.numbers)\n",
                "        prepared = self.provider.prepare(job, claim.tag, claim.numbers)\n"
                "        try:\n"
                "            _EARLY[prepared.body_digest] = self.provider.submit(prepared)\n"
                "        except Exception as error:\n"
                "            _EARLY[prepared.body_digest] = error\n"
                "        return prepared\n",
            ),
            Change(
                _APPLY,
                "            answer = self.provider.submit(prepared)\n",
                "            answer = _EARLY.pop(prepared.body_digest)\n",
            ),
        ),
        (f"{_BOUNDARIES}::test_a_crash_at_any_boundary_doubles_nobody_and_loses_nobody[a, planned anew]",),
    ),
    Bug(
        "record without compare and set",
        "a claim takes a send in whatever state it is",
        (
            Change(
                _STATEMENTS,
                "    WHERE {is_free}\n    RETURNING number",
                "    RETURNING number",
            ),
        ),
        (
            "tests/contract/test_ledgers.py::test_what_another_run_has_claimed_is_not_ours",
            f"{_SETTLING}::test_another_run_while_one_is_held_up_doubles_nobody_and_loses_nobody[]",
        ),
    ),
    Bug(
        "only a lock with an end",
        "what another run has claimed is free; its lease alone keeps a second run away",
        (
            Change(
                _STATES,
                "FREE = frozenset(state for state, after in MOVES.items() if State.INTENDED in after)\n",
                "FREE = frozenset(state for state, after in MOVES.items() if State.INTENDED in after)"
                " | {State.INTENDED}\n",
            ),
            Change(
                _COMPARE,
                "    if waits or known.state in IN_DOUBT:\n",
                "    if waits or known.state in IN_DOUBT - FREE:\n",
            ),
        ),
        (
            "tests/contract/test_ledgers.py::test_what_another_run_has_claimed_is_not_ours",
            f"{_SETTLING}::test_another_run_between_claim_and_outcome_doubles_nobody_and_loses_nobody[after POST]",
        ),
    ),
    Bug(
        "retry on 502",
        "the HTTP library posts again after 502, 503 or 504",
        (
            Change(
                _TRANSPORT,
                "        super().__init__(max_retries=0)\n",
                "        from urllib3 import Retry\n\n"
                "        codes = (502, 503, 504)\n"
                "        super().__init__(max_retries=Retry(total=3, status_forcelist=codes, allowed_methods=None))\n",
            ),
        ),
        (
            "tests/unit/test_apply.py::test_an_answer_that_says_nothing_for_sure_is_never_followed_by_another_post",
            f"{_BOUNDARIES}::test_no_answer_makes_a_run_post_a_job_twice[5]",
        ),
    ),
    Bug(
        "retry on timeout",
        "a POST without an answer is sent once more",
        (
            Change(
                _OVH,
                "            response, body = self._here.line.send(request)\n        except Exception as error:",
                "            try:\n"
                "                response, body = self._here.line.send(request)\n"
                "            except RequestException:\n"
                "                response, body = self._here.line.send(request)\n"
                "        except Exception as error:",
            ),
        ),
        (
            "tests/unit/test_apply.py::test_an_answer_that_says_nothing_for_sure_is_never_followed_by_another_post",
            f"{_BOUNDARIES}::test_no_answer_makes_a_run_post_a_job_twice[l]",
        ),
    ),
    Bug(
        "follow 307",
        "the session follows redirects",
        (
            Change(
                _TRANSPORT,
                "        try:\n            response = adapter.send(request, **settings)\n",
                "        request.prepare_cookies({})\n"
                "        try:\n            response = self._session.send(request, allow_redirects=True, **settings)\n",
            ),
        ),
        (f"{_BOUNDARIES}::test_a_redirect_leads_nowhere",),
    ),
    Bug(
        "sign an old record again",
        "what waited too long after its claim is signed anew and posted",
        (
            Change(_APPLY, "import dataclass, field\n", "import dataclass, field, replace\n"),
            Change(
                _APPLY,
                '            return _Landed(Unreached(reason="too much time had passed since it was signed"))\n',
                '            again = self.provider._request("POST", prepared.url, prepared.body)\n'
                "            prepared = replace(prepared, headers=tuple(again.headers.items()))\n",
            ),
        ),
        (
            "tests/unit/test_apply.py::test_a_signature_that_waited_too_long_is_given_back_unposted",
            f"{_SETTLING}::test_another_run_between_claim_and_outcome_doubles_nobody_and_loses_nobody[after claim_all]",
        ),
    ),
    Bug(
        "one tag for two attempts",
        "every job of a revision has the tag of the first",
        (
            Change(
                _RELATIONAL,
                "    return tag(binding.project, binding.service, message, revision, ordinal)\n",
                "    return tag(binding.project, binding.service, message, revision, 1)\n",
            ),
            Change(
                _RELATIONAL,
                '        while run(statements.TAG_TAKEN, {"tag": mark}).fetchone():\n',
                "        while False:\n",
            ),
            Change(_RELATIONAL, "itertools.count(ordinal)", "range(ordinal, ordinal + count)"),
            Change(_STATEMENTS, " NOT NULL UNIQUE,\n", " NOT NULL,\n"),
        ),
        (
            "tests/contract/test_ledgers.py::test_the_tag_follows_from_the_ordinal_alone",
            "tests/contract/test_ledgers.py::test_what_is_proved_not_sent_is_claimed_again_under_a_new_job",
        ),
    ),
    Bug(
        "trust the server's filter",
        "whatever the list of what was sent gives for a tag is ours",
        (Change(_OVH, 'f"?{query}") if one.tag == tag]', 'f"?{query}")]'),),
        (
            "tests/unit/test_settle.py::test_another_sms_to_the_same_receiver_is_not_it_where_the_server_does_not_filter",
            f"{_SETTLING}::test_whatever_the_lists_are_like_nobody_is_doubled_or_lost[no filters]",
        ),
    ),
    Bug(
        "absence counts at once",
        "what is not listed was not sent, however soon",
        (
            Change(
                _SETTLE,
                "    return _end(job) + rules.after <= now < _end(job) + HORIZON\n",
                "    return now < _end(job) + HORIZON\n",
            ),
        ),
        (
            "tests/unit/test_settle.py::test_absence_counts_when_the_request_can_not_arrive_any_more_and_not_before",
            f"{_SETTLING}::test_where_it_counts_only_after_that_it_never_does[strict]",
        ),
    ),
    Bug(
        "pair ids with receivers",
        "the first id of a report is the first receiver's, also for what is taken back",
        (
            Change(
                _READING,
                "known_ids[0] if took and receivers == 1 and len(known_ids) == 1 else None",
                "known_ids[0] if took and known_ids else None",
            ),
            Change(
                _CANCEL,
                "    mine = tuple(one.id for one in held if one.receiver == number and one.id in job.ids)\n",
                "    mine = tuple(one for who, one in zip(job.states, job.ids, strict=False) if who == number)\n",
            ),
        ),
        (
            "tests/contract/test_ledgers.py::test_an_id_is_told_only_where_it_is_certain_whose_it_is",
            f"{_SETTLING}::test_whatever_the_lists_are_like_nobody_is_doubled_or_lost[ids in order]",
        ),
    ),
    Bug(
        "any 4xx is definite",
        "a refusal counts without a query id",
        (
            Change(
                _ANSWERS,
                "    if status in _REFUSALS and query_id and isinstance(answer, dict)",
                "    if status in _REFUSALS and isinstance(answer, dict)",
            ),
        ),
        (
            "tests/unit/test_apply.py::test_an_answer_that_says_nothing_for_sure_is_never_followed_by_another_post",
            f"{_SETTLING}::test_no_answer_to_a_post_and_no_kill_beside_it_doubles_or_loses_anybody[paap]",
        ),
    ),
    Bug(
        "ignore invalid receivers",
        "who is refused in a report counts as taken",
        (
            Change(
                _OUTCOMES, "        else State.REJECTED\n        for number", "        else taken\n        for number"
            ),
        ),
        (
            "tests/unit/test_apply.py::test_only_invalid_receivers_are_rejected_for_good",
            "tests/unit/test_apply.py::test_a_report_is_read_receiver_by_receiver",
            f"{_SETTLING}::test_whatever_the_lists_are_like_nobody_is_doubled_or_lost[strict]",
        ),
    ),
    Bug(
        "send, then cancel",
        "what is replaced is free at once; the DELETE follows after the new POST",
        (
            Change(
                _CANCEL,
                "                ledger.take_back(job._replace(states=clear), by)\n",
                "                ledger.take_back(job._replace(states=clear), by)\n"
                '                ledger.end_take_back(job, gone=clear, out={}, reason="to be taken back")\n'
                '                later = ledger.__dict__.setdefault("later", [])\n'
                "                later += [one for number in clear for one in mine[number]]\n",
            ),
            Change(
                _RUN,
                "self._post(draft.jobs, digest, margin, stop, lanes), stop, progress)\n",
                "self._post(draft.jobs, digest, margin, stop, lanes), stop, progress)\n"
                '                for sms in self.ledger.__dict__.pop("later", ()):\n'
                "                    self.opened.provider.take_back(sms)\n",
            ),
        ),
        (
            "tests/unit/test_cancel.py::test_it_is_on_record_before_the_provider_is_asked",
            f"{_SETTLING}::test_whatever_the_lists_are_like_nobody_is_doubled_or_lost[strict]",
        ),
    ),
    Bug(
        "404 on DELETE is cancelled",
        "what a DELETE does not find any more counts as taken back",
        (
            Change(
                _CANCEL,
                "            yield _conclude(ledger, provider, job, frozenset(missing), after)\n",
                "            missing += [one for one in job.states if (job.tag, one) not in dropped]\n"
                "            yield _conclude(ledger, provider, job, frozenset(missing), after)\n",
            ),
        ),
        (
            "tests/unit/test_cancel.py::test_what_went_out_meanwhile_and_is_not_listed_yet_stays_open",
            f"{_SETTLING}::test_what_goes_out_while_it_is_taken_back_is_not_sent_anew",
        ),
    ),
    Bug(
        "the local clock",
        "when absence counts is told by this machine's clock",
        (
            Change(
                _SETTLE,
                "    now = provider.time()\n    try:\n        look =",
                "    now = clock.now()\n    try:\n        look =",
            ),
        ),
        (f"{_SETTLING}::test_where_it_counts_only_after_that_it_never_does[clock behind]",),
    ),
    Bug(
        "skip what is torn in the middle",
        "reading ends without a word at a damaged page, and passes over a send without its job",
        (
            Change(
                _SQLITE,
                "        with named(self._path.name):\n            # Not `yield from`",
                "        with suppress(sqlite3.DatabaseError):\n            # Not `yield from`",
            ),
            Change(
                _READING,
                "                raise damaged(_LACKS_JOB)\n            _, text",
                "                continue\n            _, text",
            ),
        ),
        (
            "tests/crash/test_bad_days.py::test_a_page_damaged_in_the_middle_is_named_and_not_passed_over",
            "tests/crash/test_bad_days.py::test_a_send_without_its_job_is_named_and_not_passed_over",
        ),
    ),
    Bug(
        "accept an older serial",
        "a pushed copy that is older takes the state's place",
        (
            Change(
                _COPIES,
                "        raise _refused(codes.COPY_OLDER, "
                "f\"the copy's serial is {copy.serial}, the state's is {before.serial}\")\n",
                "        return True\n",
            ),
        ),
        ("tests/contract/test_copies.py::test_an_older_copy_is_refused",),
    ),
    Bug(
        "leave on SIGTERM without an outcome",
        "after a first signal the answer that came is not recorded",
        (
            Change(
                _APPLY,
                "        answered, self.answered = self.answered, []\n",
                "        answered, self.answered = self.answered, []\n        if self.stop():\n            return\n",
            ),
        ),
        (
            f"{_SETTLING}::test_a_signal_lets_what_is_in_flight_come_on_record[]",
            "tests/crash/test_kill.py::test_an_interrupt_lets_what_is_in_flight_finish",
        ),
    ),
    Bug(
        "POST before the push is confirmed",
        "a push that came to nothing, or of which nothing is known, counts as a claim",
        (
            Change(
                _GIT,
                "        except StateError:\n            self._go_back(self._known)\n            raise\n"
                "        self._lineage, self._serial",
                "        except StateError:\n            pass\n        self._lineage, self._serial",
            ),
        ),
        (
            "tests/crash/test_windows.py::test_what_could_not_be_claimed_is_never_posted",
            "tests/contract/test_git.py::test_where_it_can_not_be_told_whether_a_push_arrived_nothing_is_claimed",
        ),
    ),
    Bug(
        "store over another run's version",
        "after a refused push the same is pushed in the place of what another run has stored",
        (
            Change(
                _GIT,
                "                self._go_back(self._newest())\n",
                "                self._known = self._newest()\n",
            ),
        ),
        (
            "tests/contract/test_git.py::test_a_claim_on_what_another_run_has_stored_meanwhile_is_done_again",
            f"{_EVERYWHERE}::test_a_store_whose_answer_is_lost_doubles_nobody_and_loses_nobody[git-hashed]",
        ),
    ),
    Bug(
        "push without comparing",
        "a push takes the place of whatever is there, and nobody tries whether it does",
        (
            Change(_BRANCH, "lease = f\"--force-with-lease={self._ref}:{after or ''}\"", 'lease = "--force"'),
            Change(_BRANCH, "        if self._push(draft, None).is_done:\n", "        if False:\n"),
        ),
        (
            "tests/contract/test_git.py::test_a_claim_on_what_another_run_has_stored_meanwhile_is_done_again",
            "tests/contract/test_git.py::test_what_two_runs_record_goes_by_job_into_the_newest_version",
        ),
    ),
    Bug(
        "take a history set back for a newer one",
        "under a run, any version on the branch counts as one that goes on from the last",
        (
            Change(
                _BRANCH,
                '        return old == new or self._git.asked("merge-base", "--is-ancestor", old, new).is_done\n',
                "        return True\n",
            ),
        ),
        (
            "tests/contract/test_git.py::test_a_history_that_is_rewritten_under_a_run_stops_it",
            "tests/contract/test_git.py::test_a_history_that_went_on_from_an_older_version_stops_a_run",
        ),
    ),
    Bug(
        "drop outcomes when another run was faster",
        "what waits for the next store is not written on the version that another run has stored",
        (Change(_GIT, "        for work in [*self._waiting]:\n", "        for work in self._waiting[:0]:\n"),),
        (
            "tests/contract/test_git.py::test_what_may_wait_is_stored_with_the_next_claim",
            "tests/contract/test_git.py::test_what_waits_is_stored_although_another_run_made_one_of_it_impossible",
        ),
    ),
    Bug(
        "sign after the limit",
        "a job of a window is signed whenever its turn comes",
        (Change(_AHEAD, "request.not_after <= ready.not_after and ", ""),),
        (
            "tests/crash/test_windows.py::test_a_run_that_is_held_up_in_a_window_signs_nothing_that_another_has_settled_since",
            "tests/unit/test_ahead.py::test_nothing_is_signed_after_the_limit_and_what_is_left_is_claimed_anew",
            "tests/unit/test_ahead.py::test_what_the_night_would_hold_longer_than_is_on_record_is_claimed_anew",
        ),
    ),
    Bug(
        "a window without a limit on record",
        "on record of a window is when it was claimed, not until when it may be signed",
        (Change(_AHEAD, "max(request.not_after, limit)", "request.not_after"),),
        (
            "tests/unit/test_ahead.py::test_a_window_is_on_record_with_a_limit_before_the_first_post_of_it",
            "tests/unit/test_ahead.py::test_what_a_dead_run_leaves_is_settled_after_the_limit_and_not_before",
        ),
    ),
    Bug(
        "POST what may be committed",
        "in PostgreSQL a commit whose answer is lost counts as one",
        (
            Change(
                _SERVER,
                "            raise CommitInDoubt(Diagnostic(code=codes.STATE_COMMIT_UNKNOWN, detail=detail), writer) "
                "from None\n",
                "            return\n",
            ),
        ),
        (f"{_EVERYWHERE}::test_a_store_whose_answer_is_lost_doubles_nobody_and_loses_nobody[postgresql]",),
    ),
    Bug(
        "hash numbers with any key",
        "the key of the hashes is not compared with the one that made them",
        (Change(_NAMING, "        if not hmac.compare_digest(_check(key), meta[_CHECK]):\n", "        if False:\n"),),
        ("tests/golden/test_numbers.py::test_another_key_is_refused_before_anybody_looks_new",),
    ),
    Bug(
        "one hash in all states",
        "the hash of a number does not depend on the state that it is in",
        (Change(_NAMING, 'f"smsdeclare numbers {lineage}".encode()', 'b"smsdeclare numbers"'),),
        ("tests/contract/test_erasing.py::test_two_states_can_not_be_joined_by_their_hashes",),
    ),
    Bug(
        "read what is not encrypted",
        "a file in clear on the branch is read although the state is to be encrypted",
        (
            Change(
                _REPOSITORY,
                "        found = sealing.unseal(content, keys, name=name)\n",
                "        if not sealing.is_sealed(content):\n            return content\n"
                "        found = sealing.unseal(content, keys, name=name)\n",
            ),
        ),
        ("tests/contract/test_git.py::test_a_file_in_clear_is_no_sealed_state_and_the_other_way_round",),
    ),
)
