#!/bin/sh
# Every check, all of them even after a failure; pytest comes last. `test.sh lint` stops before the content and the tests.
# PYTEST_ARGS adds options: make test PYTEST_ARGS="-k settings".
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=

step() { # step NAME COMMAND...
    name=$1
    shift
    start=$(date +%s)
    echo "== $name"
    "$@" </dev/null || failed="$failed $name"
    echo "   $(($(date +%s) - start)) s"
}

step ruff $bin/ruff check --quiet .
step format $bin/ruff format --check --quiet .
step mypy $bin/mypy --no-error-summary
step import-linter $bin/lint-imports --no-cache --no-logo
if [ "${1:-}" != lint ]; then
    step contenu $bin/autodiag check
    echo "== pytest"
    # shellcheck disable=SC2086
    $bin/pytest -n 2 ${PYTEST_ARGS:-} </dev/null || failed="$failed pytest"
fi
[ -z "$failed" ] || { echo "En échec :$failed" >&2; exit 1; }
