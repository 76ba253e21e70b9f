#!/bin/sh
# Chromium with its fonts, and PostgreSQL, from Debian or Ubuntu, where we may install them. Otherwise says why their
# tests are skipped (tests/conftest.py turns that into a failure when CI is set). Never fails by itself.
set -u

has() { # has NAME...: whether one of them is there
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

updated=
install() { # install PACKAGE...; what went wrong is shown
    [ -n "$updated" ] || apt-get update -qq </dev/null >/dev/null || return 1
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

want() { # want NAME CONSEQUENCE PACKAGE...: installs the packages, or says why not
    name=$1 consequence=$2
    shift 2
    if ! has apt-get; then
        echo "$name manque : $consequence. Installez $name avec votre système, puis relancez." >&2
    elif [ "$(id -u)" != 0 ]; then
        echo "$name manque : $consequence. Pour les avoir : apt install $* (en administrateur)." >&2
    else
        echo "Installation de $name…" >&2
        install "$@" || echo "$name manque : $consequence. apt-get n'y est pas arrivé (messages ci-dessus)." >&2
    fi
}

has chromium chromium-browser google-chrome ||
    want Chromium "les tests de pages seront sautés" chromium fonts-dejavu-core

# Tests start a server of their own: only its programs are wanted, so Debian is asked to create and start none.
has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || {
    settings=/etc/postgresql-common/createcluster.conf
    if has apt-get && [ "$(id -u)" = 0 ] && [ ! -e "$settings" ]; then
        mkdir -p "${settings%/*}" && echo "create_main_cluster = false" >"$settings"
    fi
    want PostgreSQL "les tests sur PostgreSQL seront sautés" postgresql
}
exit 0
