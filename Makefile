# Every target works in a fresh clone, as root or not, from a path with spaces; all it needs is Python 3.11 or newer.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run instance demo test test-slow chaos bench bench-sync bench-upload lint check fmt lock schema

PYTHON := .venv/bin/python
# Tools that import the settings but reach no server get values for what is not set.
TOOL := $(PYTHON) -m chatvista.embedded tool
EXPORT := .venv/bin/uv export --quiet --frozen --no-dev --no-emit-project --no-hashes
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1@\2/p' Makefile | column -t -s @ 2>/dev/null || sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1   \2/p' Makefile

run: .venv/.ready-to-run ## run everything here; Ctrl-C stops it (PORT=8001 for another port)
	@exec $(PYTHON) -m chatvista.embedded run

instance: .venv/.ready-to-run ## one more web process and worker beside a running stack (PORT=8001), with a disk of its own
	@exec $(PYTHON) -m chatvista.embedded instance

demo: .venv/.ready-to-run ## as run, but leave when the sample meeting has become documents
	@exec $(PYTHON) -m chatvista.embedded demo

test: .venv/.ready-to-develop ## the fast tests
	@$(PYTHON) -m pytest -n auto -m "not slow" $(PYTEST_ARGS)

test-slow: .venv/.ready-to-develop ## the long fault and browser tests
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m slow $(PYTEST_ARGS) || [ $$? -eq 5 ]

bench: bench-sync bench-upload ## both measurements

bench-sync: .venv/.ready-to-develop ## measure the sync engine against rclone
	@$(PYTHON) -m bench.sync $(BENCH_ARGS)

bench-upload: .venv/.ready-to-develop ## measure an upload of 1 GiB against cp and boto3 at once
	@$(PYTHON) -m bench.upload $(BENCH_ARGS)

chaos: .venv/.ready-to-develop ## 200 random kills during 2,000 uploads through two instances, and an outage of two minutes (half an hour)
	@CHAOS_KILLS=200 CHAOS_UPLOADS=2000 OUTAGE_SECONDS=120 $(PYTHON) -m pytest -s -m slow tests/journeys/test_chaos.py tests/journeys/test_two_instances.py

lint: .venv/.ready-to-develop ## all checks but the tests
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(TOOL) $(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(EXPORT) --no-header | diff -u <(grep -v '^#' requirements.txt) - || { echo "requirements.txt differs from uv.lock: make lock"; exit 1; }
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(TOOL) $(PYTHON) manage.py spectacular --validate --fail-on-warn | diff -u docs/openapi.yaml - || { echo "docs/openapi.yaml differs from the API: make schema"; exit 1; }

check: lint test ## all checks and the fast tests: what must pass before a push

fmt: .venv/.ready-to-develop ## lay out the code and mend what can be mended
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

lock: .venv/.ready-to-develop ## resolve pyproject.toml into uv.lock and requirements.txt
	.venv/bin/uv lock --python $(PYTHON)
	$(EXPORT) -o requirements.txt >/dev/null

schema: .venv/.ready-to-develop ## write docs/openapi.yaml
	$(TOOL) $(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

# The stamps make a second start quick; uv is brought by pip where the machine has none that is new enough.
.venv/.ready-to-run: uv.lock pyproject.toml | .venv/pyvenv.cfg
	@$(call sync,--no-dev)
	@touch $@

.venv/.ready-to-develop: uv.lock pyproject.toml | .venv/pyvenv.cfg
	@$(call sync,--group dev)
	@touch $@ .venv/.ready-to-run

define sync
echo "Installing packages (the first time takes a minute or two) ..."; \
uv=.venv/bin/uv; \
if [ ! -x $$uv ] && command -v uv >/dev/null && \
   [ "$$(printf '%s\n' 0.9 "$$(uv --version | cut -d' ' -f2)" | sort -V | head -n 1)" = 0.9 ]; then uv=uv; fi; \
if [ $$uv = .venv/bin/uv ] && [ ! -x $$uv ]; then $(PYTHON) -m pip install --quiet --disable-pip-version-check 'uv>=0.9'; fi; \
$$uv sync --quiet --frozen --inexact --python $(PYTHON) --extra embedded --extra speech $(1)
endef

# An environment whose interpreter is gone (an upgrade, a moved checkout) is made anew.
ifneq ($(shell $(PYTHON) -c 'print("alive")' 2>/dev/null),alive)
.PHONY: .venv/pyvenv.cfg
endif

.venv/pyvenv.cfg:
	@for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	    if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; then \
	        rm -rf .venv; \
	        "$$python" -m venv .venv && exit 0; \
	        rm -rf .venv; \
	        echo "Python cannot make a virtual environment (on Debian: apt-get install python3-venv)." >&2; exit 1; \
	    fi; \
	done; \
	echo "ChatVista needs Python 3.11 to 3.14." >&2; exit 1
