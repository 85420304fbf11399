# make run   installs, with what plugins need, and starts a demo clinic; PORT=8001 make run chooses the port
# make test  installs what the tests need and runs them all; a class, or a file, in one process, so that its server starts once
# make bench compares its speed with that of others (benchmarks/)
NEW = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do $$p -c '$(NEW)' 2>/dev/null && { echo $$p; break; }; done)
PORT ?= 8000
HERE := .venv/bin

run: .venv/run
	@PORT=$(PORT) $(HERE)/housecall demo

test: .venv/test
	$(HERE)/python tests/parts.py
	$(HERE)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder $(ARGS)

.venv/run: Makefile pyproject.toml hatch_build.py web/package-lock.json web/vendor.json $(wildcard plugins/*/vendor.json)
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW)' || { echo "Housecall needs Python 3.11 or newer. On Debian 12, 13 and Ubuntu 24.04: sudo apt-get install python3 python3-venv"; exit 1; }
	@test -x $(HERE)/python || $(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: sudo apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@echo "Installing Housecall (once, about a minute) ..."
	@$(HERE)/python -m pip install --quiet --disable-pip-version-check --editable '.[invites,payments]'
	@touch $@

.venv/test: .venv/run
	@$(HERE)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

pictures: .venv/test
	$(HERE)/python docs/pictures.py

# all figures take about an hour; ONLY=relay,frame runs parts, ROUNDS=3 fewer rounds, QUICK=1 finds out whether all works
bench: .venv/test
	$(HERE)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(QUICK),--quick)

.PHONY: run test pictures bench
