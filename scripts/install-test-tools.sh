#!/bin/sh
# Chromium and its fonts, from Debian or Ubuntu, where we may install them. Otherwise says why the browser tests are skipped
# (tests/conftest.py turns that into a failure when CI is set). Never fails by itself.
set -eu

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done

skip() {
    echo "Chromium manque : les tests de pages seront sautés. $1" >&2
    exit 0
}

command -v apt-get >/dev/null 2>&1 || skip "Installez Chromium avec votre système, puis relancez."
[ "$(id -u)" = 0 ] || skip "Pour les avoir : apt install chromium fonts-dejavu-core (en administrateur)."

echo "Installation de Chromium…" >&2
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } </dev/null >/dev/null ||
    skip "apt-get n'y est pas arrivé (messages ci-dessus)."
