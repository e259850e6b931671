# Two commands do everything: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CELERY := $(BIN)/celery -A backend
LOGGED := --loglevel INFO
DATA ?= ../shared/data
PORT ?= 8000
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo serve worker beat test lint bench soak clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed  ## set up, load data, train, evaluate, promote, and ask a real server for recommendations
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py demo

serve: $(VENV)/.installed  ## leave the site running on :8000
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py runserver $(PORT)

worker: $(VENV)/.installed  ## start two Celery workers, one of them for trainings (needs CELERY_BROKER_URL)
	@trap 'kill $$short $$training 2>/dev/null' INT TERM; \
	export REMAP_SIGTERM=SIGQUIT; \
	$(CELERY) worker $(LOGGED) --queues recommender --hostname short@%h --concurrency 2 & short=$$!; \
	CELERY_WORKER_POOL_START_METHOD=spawn $(CELERY) worker $(LOGGED) --queues recommender_training \
		--hostname training@%h --concurrency 1 --max-tasks-per-child 1 & training=$$!; \
	wait; wait

beat: $(VENV)/.installed  ## start Celery beat, which begins trainings when they are due
	$(CELERY) beat $(LOGGED) --schedule ml_artifacts/celerybeat-schedule

test: $(VENV)/.test-installed  ## install what the tests need, lint, run the whole suite
	.ci/system-packages redis-server=redis-server '/usr/lib/postgresql/*/bin/postgres=postgresql' \
		chromium=chromium chromedriver=chromium-driver
	$(MAKE) lint
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup

lint: $(VENV)/.test-installed  ## ruff, mypy, import contracts, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

BENCHMARKS := 'als_overhead $(DATA)/yelp2018-lightgcn' 'scoring $(DATA)/yelp2018-lightgcn --without-gaussian' \
	'growth $(DATA)/yelp2018-lightgcn' end_to_end memory startup fixed_rate log_write log_retention roll_up assignment \
	snapshot
bench: $(VENV)/.test-installed  ## run the benchmarks, about half an hour (DATA=folder of the public data sets)
	@failed=; for benchmark in $(BENCHMARKS); do \
		echo "=== $$benchmark"; $(BIN)/python -m tests.benchmarks.$$benchmark || failed="$$failed $${benchmark%% *}"; \
	done; [ -z "$$failed" ] || { echo "FAILED:$$failed"; exit 1; }

soak: $(VENV)/.test-installed  ## simulate 2,000 experiments, kill 200 publishers and 50 trainings, then load and faults for half an hour (RUNS=2000 MINUTES=30 KILLS=200)
	.ci/system-packages redis-server=redis-server '/usr/lib/postgresql/*/bin/postgres=postgresql'
	$(BIN)/python -m tests.benchmarks.calibration --runs $(or $(RUNS),2000)
	$(BIN)/python -m tests.benchmarks.soak --minutes $(or $(MINUTES),30) --kills $(or $(KILLS),200)

clean:  ## remove what the commands above made
	rm -rf $(VENV) .demo bench build dist *.egg-info db.sqlite3* ml_artifacts/datasets ml_artifacts/models ml_artifacts/LIVE

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/system-packages no-such-binary=python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/.test-installed: tests/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --requirement tests/requirements.txt
	@touch $@
