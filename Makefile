# make book   environment, checks and the static site in _build/html
# make test   lint, the site, and the quick tests: what CI runs
# make help   all commands
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/installed

# Fingerprints of content and file names, not of times: a file restored to older content counts
# as changed. git is needed for the clone anyway and hashes the same way on every system.
fingerprint = $(shell files=$$(find $(1) -type f -not -path '*/__pycache__/*' \
	-not -path '*/.*/*' | LC_ALL=C sort); \
	{ echo "$$files"; echo "$$files" | git hash-object --no-filters --stdin-paths; } \
	| git hash-object --stdin)
CODE = data src requirements.txt
EXECUTED = _build/executed/$(call fingerprint,$(CODE))
COMPLETE = _build/html/.complete-$(call fingerprint,$(CODE) book _config.yml _toc.yml Makefile)

.PHONY: help book pdf lint test test-long bench refresh reconstruct serve lock clean

help:
	@grep -E '^# make' Makefile | cut -c 3-
# make pdf          the chapters in one file, beside the site's index (needs Chromium)
# make lint         style, types, direction of imports, structure of the chapters
# make test-long    also what takes long: whole books on odd cohorts, fuzzing, interruptions
# make bench        measure against peers and many cohorts at once, for the colophon: an hour
# make refresh      update the stored outputs of the notebooks (the only way to do so)
# make reconstruct  rewrite data/patients.csv from the claims and assumptions
# make serve        show the built site at localhost:8000
# make lock         compile requirements.txt from pyproject.toml (needs uv)
# make clean        remove everything that was built

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	touch $@

# Executed notebooks are kept between builds, so an interrupted build goes on where it stopped.
# They are forgotten as soon as data or package change: the cache looks at notebooks only.
$(EXECUTED):
	rm -rf _build/.jupyter_cache _build/executed
	mkdir -p $(@D)
	touch $@

$(COMPLETE): $(READY) $(EXECUTED)
	rm -rf _build/html
	$(BIN)/python -m pytest -q tests/book/test_notebooks.py
	$(BIN)/jupyter-book build . --all -W --keep-going
	$(BIN)/python -m rdmas.site.pdf _build/html
	touch $@

book: $(READY)
	$(BIN)/rdmas validate data
	@$(MAKE) --no-print-directory $(COMPLETE)
	@$(BIN)/rdmas claims
	@echo
	@echo "Site: $(CURDIR)/_build/html/index.html"

pdf: book
	@test -f _build/html/companion.pdf && echo "PDF: $(CURDIR)/_build/html/companion.pdf"

lint: $(READY)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tests/unreached.py
	$(BIN)/python -m pytest -q tests/book/test_notebooks.py

# One worker a file: the cells of a notebook belong together.
PYTEST = $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test: lint book
	$(PYTEST) -m "not long"

test-long: lint book
	$(PYTEST)

bench: $(READY)
	$(BIN)/python -m rdmas.selfcheck.bench book/benchmarks.csv
	$(BIN)/python -m rdmas.rerun.bench book/benchmarks_cohorts.csv

refresh: $(READY)
	$(BIN)/python -m rdmas.notebooks book

reconstruct: $(READY)
	$(BIN)/rdmas reconstruct --force

serve:
	$(PYTHON) -m http.server --directory _build/html --bind localhost 8000

lock:
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--group book --group test --output-file requirements.txt pyproject.toml

clean:
	rm -rf _build
