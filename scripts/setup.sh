#!/bin/sh
# Prepares .venv: `setup.sh run` for what the chat needs, `setup.sh test` for that and the test tools.
# The second time, nothing has changed: it compares one checksum and stops, without network.
set -eu
cd "$(dirname "$0")/.."

what=$1
lock=requirements/$what.lock
bin=.venv/bin
stamp=.venv/.autodiag-$what

sum=$( (pwd; cat requirements/installer.lock "$lock" pyproject.toml) | cksum)
if [ -x $bin/python ] && [ -x $bin/autodiag ]; then
    [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && exit 0
fi

say() { echo "$*" >&2; }
give_up() {
    say "L'installation n'a pas abouti : $1"
    say "(Setup stopped here; the messages above say why. Mend it and run the same command again.)"
    exit 1
}

if ! $bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    ! grep -qsF "$PWD/.venv" $bin/activate; then
    python=$(scripts/find-python.sh) || exit 1
    say "Préparation de .venv avec $("$python" --version)…"
    "$python" -m venv --clear .venv || give_up "impossible de créer .venv dans $PWD."
fi
rm -f .venv/.autodiag-*

pip() { $bin/python -m pip --disable-pip-version-check --quiet "$@"; }
say "Installation des dépendances ($what)…"
export UV_LINK_MODE=copy
if pip install --require-hashes -r requirements/installer.lock &&
    $bin/uv pip install --quiet --system-certs --python $bin/python --require-hashes -r "$lock"; then
    :
else
    say "uv n'y arrive pas ; nouvel essai avec pip, plus lent…"  # pip reads a mirror's settings that uv does not
    pip install --require-hashes -r "$lock" ||
        give_up "les dépendances n'ont pas pu être téléchargées. Vérifiez la connexion à Internet."
fi
pip install --no-index --no-deps --no-build-isolation --editable . ||
    give_up "le projet n'a pas pu être inscrit dans .venv."
if [ "$what" = test ]; then
    (pwd; cat requirements/installer.lock requirements/run.lock pyproject.toml) | cksum >.venv/.autodiag-run
fi
echo "$sum" >"$stamp"
say "Prêt."
