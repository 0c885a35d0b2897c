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
	mypy --strict ci
	shellcheck ci/*.sh
	zizmor --offline --quiet action.yml ci/examples
	check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	check-jsonschema --quiet --builtin-schema vendor.github-workflows ci/examples/github.yml

# Pages that are made from the code must be current, and the site whole: a link that leads nowhere is an error.
docs:
	python docs/generate.py --check
	python docs/site.py
	NO_COLOR=1 zensical build --strict --clean

format:
	ruff check --fix .
	ruff format .
	python docs/generate.py

coverage:
	pytest --numprocesses=auto --cov

package:
	python -m build --outdir dist .
