#!/bin/sh
# The restore drill: puts a backup back in a folder of its own, beside what serves, and checks it. Touches nothing else.
# Usage: scripts/restore-drill.sh BACKUP, as the account that serves, with its AUTODIAG_… variables.
set -eu
cd "$(dirname "$0")/.."
[ $# -eq 1 ] || { echo "Donnez la sauvegarde à essayer." >&2; exit 2; }
backup=$(realpath "$1")

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT INT TERM
# The key and the journal are the real ones: that they open and replay this backup is what is tried.
export AUTODIAG_DATA_DIR="$place" AUTODIAG_DATABASE_URL="sqlite:///$place/essai.db"
unset AUTODIAG_TELEGRAM_TOKEN # nothing leaves from a drill

began=$(date +%s)
.venv/bin/autodiag db restore "$backup"
.venv/bin/autodiag db check
echo "Exercice réussi en $(($(date +%s) - began)) s : cette sauvegarde se remet, avec cette clé et ce journal."
