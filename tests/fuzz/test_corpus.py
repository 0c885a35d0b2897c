"""What once broke a reader, and what shows the fuzzer the language: each input again."""

from pathlib import Path

import pytest
from invariants import Projects, Tables, check_document_with_both_parsers

CORPUS = Path(__file__).parent / "corpus"


def inputs(name):
    return [pytest.param(path.read_bytes(), id=path.name) for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("data", inputs("document"))
def test_a_document_of_the_corpus_is_read_or_refused(data):
    check_document_with_both_parsers(data)


@pytest.mark.parametrize("data", inputs("table"))
def test_a_table_of_the_corpus_is_read_or_refused(data, tmp_path):
    Tables(tmp_path).check(data)


@pytest.mark.parametrize("data", inputs("project"))
def test_a_project_of_the_corpus_is_understood_or_refused(data, tmp_path):
    Projects(tmp_path).check(data)
