from smsdeclare.codes import all_codes


def test_every_code_is_given_once_and_says_what_to_do():
    ids = [code.id for code in all_codes()]
    assert sorted(set(ids)) == ids
    assert not [code.id for code in all_codes() if not code.help.endswith((".", "?")) or code.summary.endswith(".")]
