# Deux commandes : `make run` lance le chat, `make test` vérifie tout. Rien ici ne demande d'être administrateur.
.DEFAULT_GOAL := help
.PHONY: help run setup test lint check bench soak format lock clean

BIN := .venv/bin

help: ## montre cette aide
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 16

run: ## installe ce qu'il faut, puis lance le chat sur http://localhost:8000
	@scripts/setup.sh run
	@exec $(BIN)/autodiag serve

setup: ## prépare .venv (lancer et tester) et s'arrête là
	@scripts/setup.sh test

test: setup ## vérifie tout : style, types, architecture, contenu, tests
	@scripts/install-test-tools.sh
	@scripts/test.sh

lint: setup ## seulement le style, les types et l'architecture
	@scripts/test.sh lint

check: setup ## seulement le contenu (questions, tutoriels, textes)
	@$(BIN)/autodiag check

bench: setup ## mesure le serveur et récrit docs/performance.md (SHORT=1 : plus court, plus grossier)
	@scripts/install-test-tools.sh
	@$(BIN)/python -m bench $(if $(SHORT),--short)

MINUTES ?= 10
SEED ?= 1000
soak: setup ## cherche des fautes au hasard et tue le serveur pendant MINUTES=N (10 sinon) ; SEED=… reprend où l'on en était
	@scripts/install-test-tools.sh
	@$(BIN)/python -m bench.soak $(MINUTES) --seed $(SEED)

format: setup ## met le code en forme
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lock: setup ## recalcule requirements/*.lock d'après pyproject.toml (UPGRADE=1 : monte les dépendances indirectes)
	@scripts/lock.sh

clean: ## retire .venv et les caches, jamais data/
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
