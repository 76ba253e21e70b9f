#!/bin/sh
# Pins everything with hashes, for every system, naming no index: requirements/*.lock from pyproject.toml.
set -eu
cd "$(dirname "$0")/.."

lock() { # lock NAME OPTIONS...
    name=$1
    shift
    "${UV:-.venv/bin/uv}" pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate ${UPGRADE:+--upgrade} \
        --custom-compile-command "make lock" --output-file "requirements/$name.lock" "$@" >/dev/null
}

mkdir -p requirements
lock installer --group pyproject.toml:installer
lock run pyproject.toml --group pyproject.toml:build
lock test --constraints requirements/run.lock pyproject.toml --group pyproject.toml:build --group pyproject.toml:test
if grep -nE '://' requirements/*.lock; then
    echo "Un fichier de requirements/ nomme une adresse ; relancez « make lock » sans index privé." >&2
    exit 1
fi
