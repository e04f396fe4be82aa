# run · test · check · bench · evidence: the same words on a desk and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 2718

.PHONY: run test check bench evidence docs sample clean

run: $(VENV)/ready
	$(BIN)/cadran serve --book data/sample --port $(PORT)

# A module is compiled once, not anew by each of the many processes that tests start.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/ready-dev browser provider
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Every measure on Spark too, against polars. Its own run: Spark takes minutes to start and to plan.
.PHONY: test-spark
test-spark: $(VENV)/ready-spark java
	$(BIN)/pytest tests/measures/test_engines.py --engine spark -p no:cacheprovider -k "not today"

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/marimo check --strict notebooks

bench: $(VENV)/ready-bench browser
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks --signed-in Nord
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.daily --deals 10000000
	$(BIN)/python -m benchmarks.measures
	$(BIN)/python -m benchmarks.imports --large 2
	$(BIN)/python -m benchmarks.win
	$(BIN)/python -m benchmarks.pay
	$(BIN)/python -m benchmarks.territories
	$(BIN)/python -m benchmarks.bookings
	$(BIN)/python -m benchmarks.scenario
	$(BIN)/python -m benchmarks.ballots
	$(BIN)/python -m benchmarks.respondents
	$(BIN)/python -m benchmarks.pulse
	$(BIN)/python -m benchmarks.enps

# The series part of the forecast beside AutoETS, which wants an older pandas: it gets an environment of its own.
.PHONY: bench-series
bench-series: $(VENV)/ready-dev $(VENV)-statsforecast/ready
	$(BIN)/python -m benchmarks.series --rival $(VENV)-statsforecast/bin/python

evidence: $(VENV)/ready-dev browser
	$(BIN)/pytest tests/evidence -p no:cacheprovider --override-ini testpaths=tests/evidence

docs: $(VENV)/ready
	$(BIN)/python -m cadran.publish.documents docs

sample: $(VENV)/ready
	rm -rf data/sample
	$(BIN)/cadran sample --book data/sample

clean:
	rm -rf $(VENV) $(VENV)-statsforecast build dist *.egg-info

# Real-browser tests need a Chromium: the one on the machine, or one installed here. Never skipped in silence.
.PHONY: browser
browser: $(VENV)/ready-dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  echo "No Chromium on this machine: installing it."; \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium; \
	  else $(BIN)/playwright install chromium; fi; }

# The provider at which browser tests sign in is a process of Node.js; without that, these tests are left out.
PROVIDER := tests/harness/certified_provider
.PHONY: provider
provider:
	@command -v npm >/dev/null || ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ] || { \
	  echo "No Node.js on this machine: installing it."; apt-get update -qq && apt-get install -y -qq nodejs npm; }
	@! command -v npm >/dev/null || [ $(PROVIDER)/node_modules/.package-lock.json -nt $(PROVIDER)/package-lock.json ] || \
	  npm ci --prefix $(PROVIDER) --ignore-scripts --no-audit --no-fund

# Spark needs a Java: the one on the machine, or one installed here.
.PHONY: java
java:
	@command -v java >/dev/null || { \
	  echo "No Java on this machine."; \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq openjdk-17-jre-headless; \
	  else echo "Spark needs Java 17 or 21: install it (openjdk-17-jre-headless, or JAVA_HOME), then run this again."; exit 1; fi; }

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cadran needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/ready-spark: $(VENV)/ready-dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,spark]'
	@touch $@

$(VENV)-statsforecast/ready:
	$(PYTHON) -m venv $(VENV)-statsforecast
	$(VENV)-statsforecast/bin/python -m pip install --quiet statsforecast==2.1.1 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
	@touch $@

$(VENV)/ready-bench: $(VENV)/ready-dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@
