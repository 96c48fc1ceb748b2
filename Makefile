# Two commands for everybody, `make demo` and `make test`; the rest is for developers.
#
# All of them need only Python 3.11 or newer and make. Whatever else they need goes into
# $(VENV), once, at the exact versions and hashes of requirements*.txt. Nothing outside this
# folder is touched.

VENV ?= .venv
PYTHON ?= python3.13 python3.12 python3.11 python3
UV ?= $(shell command -v $(VENV)/bin/uv || command -v uv)
ARGS ?=
SEEDS ?= 200
SEED ?=
PROFILE ?= default
KILLS ?= 50

PIP = $(VENV)/bin/python -m pip --disable-pip-version-check --no-input --quiet
# Wheels only: a source distribution would run build code that no hash covers.
INSTALL = $(PIP) install --require-hashes --only-binary=:all:
INSTALL_PROJECT = $(PIP) install --no-deps --no-build-isolation --editable .
LOCK = $(UV) pip compile pyproject.toml --quiet --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock' $(ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check bench bench-peer chaos chaos-search chaos-defects kills screenshots release format lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r command purpose; do printf '%-22s%s\n' "$$command" "$$purpose"; done
	@printf '\n%s\n' 'ARGS="…" is passed on, PYTHON=… names the interpreter, VENV=… the folder it goes to.'

demo: $(VENV)/.runtime  ## a shop in a box: broker, controller and a wall of labels you can watch
	@$(VENV)/bin/esl demo $(ARGS)

test: $(VENV)/.dev  ## all tests; those whose service is not installed are skipped with the reason
	@$(VENV)/bin/python -m pytest $(ARGS)

check: $(VENV)/.dev  ## style, format, types, layers, dependencies, known holes; stops at the first that fails
	@$(call step,ruff check,python -m ruff check .)
	@$(call step,ruff format,python -m ruff format --check .)
	@$(call step,mypy,python -m mypy)
	@$(call step,lint-imports,lint-imports)
	@$(call step,deptry,deptry .)
	@$(call step,bandit,python -m bandit --quiet --recursive -ll esl gateway renderer api simulator)

screenshots: $(VENV)/.dev  ## pictures of the pages for the docs; all of them: ARGS="--all --to shots"
	@$(VENV)/bin/python -m tests.browser.screenshots $(ARGS)

bench: $(VENV)/.dev  ## measure; prints JSON
	@$(VENV)/bin/python -m tests.bench $(ARGS)

bench-peer: $(VENV)/.dev $(VENV)-peer/.made  ## measure beside the best public renderer, in one run
	@$(VENV)/bin/python -m tests.bench.peer --peer-python $(VENV)-peer/bin/python $(ARGS)

chaos: $(VENV)/.dev  ## faults of every kind on a simulated clock: SEEDS=200, SEED=17, PROFILE=field
	@$(VENV)/bin/python -m tests.chaos run --profile $(PROFILE) \
		$(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

chaos-search: $(VENV)/.dev  ## find a seed that catches each planted defect, and record it
	@$(VENV)/bin/python -m tests.chaos search $(ARGS)

chaos-defects: $(VENV)/.dev  ## plant every defect and replay the seed that catches it
	@$(VENV)/bin/python -m tests.chaos defects $(ARGS)

kills: $(VENV)/.dev  ## kill real processes in the middle of their work: KILLS=50
	@ESL_TEST_KILLS=$(KILLS) ESL_TEST_SEED=$(or $(SEED),1) $(VENV)/bin/python -m pytest -q -s \
		-p no:cacheprovider tests/integration/test_kills.py $(ARGS)

release: $(VENV)/.dev  ## wheel, source, bill of materials and sums of the last commit, into dist
	@$(VENV)/bin/python -m tests.release $(ARGS)

format: $(VENV)/.dev  ## put the source in its one form
	@$(VENV)/bin/python -m ruff check --select I --fix-only .
	@$(VENV)/bin/python -m ruff format .

lock:  ## pin all dependencies again after a change of pyproject.toml; newer ones: ARGS=--upgrade
	@test -n "$(UV)" || { echo 'make lock: needs uv (pip install uv)' >&2; exit 1; }
	@$(LOCK) --group build --output-file requirements.txt
	@$(LOCK) --group build --extra postgres --constraints requirements.txt \
		--output-file requirements-postgres.txt
	@$(LOCK) --group dev --extra postgres --extra dither --constraints requirements.txt \
		--output-file requirements-dev.txt

clean:  ## remove what make, tests and tools have made; the data of a shop or demo stays
	@rm -rf .venv .venv-* build dist *.egg-info \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call step,name,command of the virtual environment): run it; if it fails, say which it was.
step = echo '── $(1)'; $(VENV)/bin/$(2) || { echo 'make check: $(1) failed' >&2; exit 1; }

# ── The virtual environment. Each stamp says what was installed; .dev includes .runtime. ──

$(VENV)/.runtime: $(VENV)/.made requirements.txt pyproject.toml
	@echo 'Installing what the controller needs into $(VENV) (once) …'
	@$(INSTALL) --requirement requirements.txt
	@$(INSTALL_PROJECT)
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements-dev.txt pyproject.toml
	@echo 'Installing what tests and checks need into $(VENV) (once) …'
	@$(INSTALL) --requirement requirements-dev.txt
	@$(INSTALL_PROJECT)
	@touch $(VENV)/.runtime $@

# What another renderer needs never meets ours. One of its packages comes as source only.
$(VENV)-peer/.made: tests/bench/peer_requirements.txt
	@for python in python3.13 python3.12; do \
		"$$python" -m venv --clear $(VENV)-peer 2>/dev/null && break; \
	done; \
	test -x $(VENV)-peer/bin/python \
		|| { echo 'make bench-peer: needs Python 3.12 or 3.13' >&2; exit 1; }
	@echo 'Installing the other renderer into $(VENV)-peer (once) …'
	@$(VENV)-peer/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
		--only-binary=:all: --no-binary=resize-image --requirement $<
	@touch $@

# An environment that works is kept; a half-made one, or one whose Python is gone, is made anew.
# Debian ships Python without the part that makes environments, so that gets words of its own.
$(VENV)/.made:
	@new='import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))'; \
	if $(VENV)/bin/python -c "$$new" >/dev/null 2>&1 \
		&& $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then touch $@; exit; fi; \
	found= bare=; \
	for python in $(PYTHON); do \
		version=$$("$$python" -c "$$new" 2>/dev/null) || continue; \
		if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then found=$$python; break; fi; \
		bare=$${bare:-$$version}; \
	done; \
	if [ -n "$$found" ]; then \
		echo "Making $(VENV) with Python $$version …"; \
		"$$found" -m venv --clear $(VENV) && touch $@; \
	elif [ -n "$$bare" ]; then \
		echo "make: Python $$bare is here without its venv module." \
			"On Debian and Ubuntu: apt install python$$bare-venv" >&2; exit 1; \
	else \
		echo 'make: needs Python 3.11 or newer, found none ($(PYTHON)).' \
			'If it has another name: make PYTHON=python3.x …' >&2; exit 1; \
	fi
