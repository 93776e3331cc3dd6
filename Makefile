# 知客 Zhike. `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
BIN = .venv/bin
PY = PYTHONPATH=. $(BIN)/python

.PHONY: help run setup env test check format chaos bench eval lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 10

run: env ## sets up whatever is missing, starts everything, prints the addresses (PORT= moves it)
	@ZHIKE_PORT=$(PORT) $(BIN)/zhike up

setup: env ## sets up only
	@$(BIN)/zhike setup

env: # both environments and the desk's build
	@$(PYTHON) scripts/setup.py

test: setup ## sets up what is missing and passes the tests (ARGS='-m training': those that train whole models, ten minutes and more)
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile $(ARGS)

check: env ## format, lint, types, arrows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PY) scripts/kb_near_copies.py
	@$(PY) scripts/nlu_near_copies.py

format: env ## formats and mends what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

chaos: setup ## the crash and race tests at their whole size: kill -9, broken networks, four processes at once (ten minutes)
	@ZHIKE_CHAOS=whole $(PY) -m pytest -q -s --log-cli-level=INFO --timeout=1200 tests/resilience/test_chaos.py tests/resilience/test_races.py tests/wechat/test_storm.py $(ARGS)

bench: setup ## benchmarks to tables (ARGS="brain page": only these; see docs/benchmarks.md)
	@$(PY) -m scripts.bench $(ARGS)

eval: setup ## language measures to a table, ours beside stock Rasa (trains it first: an hour; ARGS=--no-stock leaves it out)
	@$(PY) scripts/eval.py $(ARGS)

lock: env ## locks the requirement files anew
	@sh scripts/lock.sh

clean: ## removes what make made (not var/)
	rm -rf .venv .venv-bot .tools .setup models web/static/desk web/desk-ui/node_modules
