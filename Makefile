# Two commands do everything: `make run` and `make test`. The rest is for people who work on it.
# Each target first builds .venv from the lock; nothing else is needed than make and Python.

PYTHON ?= python3
ARGS ?=
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/handrail-dev.stamp
RUN := $(VENV)/handrail-run.stamp
# The locks are complete: an old pip's resolver, let loose on them, looks for newer versions of extras.
# What is imported is compiled then, once, whatever the shell around says; the rest, most of it,
# never needs to be.
PIP_FLAGS := --no-compile --require-hashes --no-deps --disable-pip-version-check --no-input

unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench evaluate faults screenshots
.DEFAULT_GOAL := run

# What runs the programs needs less than what tests them: an up-to-date dev install serves too.
run: $(if $(wildcard $(DEV)),$(DEV),$(RUN)) ## start everything on this machine
	@exec $(BIN)/python -m local.run $(ARGS)

test: $(DEV) ## check, then run every test
	@$(BIN)/python -m local.check
	@echo "== tests"
	@exec $(BIN)/python -m pytest -n 3 $(ARGS)

check: $(DEV) ## formatting, types, direction of imports, missing migrations
	@exec $(BIN)/python -m local.check

bench faults screenshots: $(DEV) ## measure against stock code; break everything; picture the pages
	@exec $(BIN)/python -m bench.$@ $(ARGS)

evaluate: $(DEV) ## trends on real data: make evaluate DATA=folder
	@exec $(BIN)/python -m bench.evaluate $(if $(DATA),--data "$(DATA)") $(ARGS)

$(DEV): requirements/dev.lock
	$(call install,$<,$@)

$(RUN): requirements/run.lock
	$(call install,$<,$@)

# The .pth file puts the project on the path of every program of the environment: pytest loads
# its early plugin from here before it reads any path of its own.
define install
@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Handrail needs Python 3.11 or newer and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12" % v[:2])'
@test -x $(BIN)/python || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }
@echo "Installing the packages of $(1) ..."
@$(BIN)/python -m pip install $(PIP_FLAGS) --requirement $(1)
@$(BIN)/python -c 'import os, pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "handrail.pth").write_text(os.getcwd() + "\n")'
@touch $(2)
endef
