.PHONY: check test lint docs format coverage package

# What CI runs.
check: lint docs test package

test:
	pytest

lint:
	ruff check .
	ruff format --check .
	mypy
	lint-imports

# Pages that are made from the code must be current.
docs:
	python docs/generate.py --check

format:
	ruff check --fix .
	ruff format .
	python docs/generate.py

coverage:
	pytest --numprocesses=auto --cov

package:
	python -m build --outdir dist .
