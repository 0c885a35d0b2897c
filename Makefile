.PHONY: check test lint docs format coverage package sbom lock lowest

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
	shellcheck ci/*.sh .ci/run
	zizmor --offline --quiet action.yml ci/examples/github.yml .github
	check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	check-jsonschema --quiet --builtin-schema vendor.github-workflows ci/examples/*.yml .github/workflows/*.yml

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

# Two builds of one commit are the same to the byte.
package:
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) python -m build --no-isolation --outdir dist .

# What an installed smsdeclare is made of, in CycloneDX; needs cyclonedx-bom.
sbom:
	mkdir -p build
	cyclonedx-py requirements --output-reproducible --of JSON --pyproject pyproject.toml --mc-type application \
	  -o build/smsdeclare.cdx.json ci/requirements.lock

# Versions and hashes of all that is installed by the action, to build, and to develop; needs uv. Existing ones stay,
# unless LOCK=--upgrade.
LOCKED = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
  --custom-compile-command 'make lock' $(LOCK)
lock:
	$(LOCKED) --extra postgresql --extra encryption pyproject.toml -o ci/requirements.lock
	$(LOCKED) ci/build.in -o ci/build.lock
	$(LOCKED) ci/release.in -o ci/release.lock
	$(LOCKED) --extra dev pyproject.toml -o requirements-dev.lock

# The lowest versions that pyproject.toml admits work as well; needs uv.
lowest:
	mkdir -p build
	uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --extra postgresql --extra encryption \
	  pyproject.toml -o build/lowest.txt
	uv venv --quiet --clear --python 3.11 build/lowest
	uv pip install --quiet --python build/lowest -c build/lowest.txt -e '.[dev]'
	build/lowest/bin/python -m pytest tests/unit tests/golden tests/contract
