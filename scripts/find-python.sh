#!/bin/sh
# Prints the first Python ≥ 3.11 able to make a virtual environment, or says what to install.
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        recent=$candidate
        if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            command -v "$candidate"
            exit 0
        fi
    fi
done
if [ -n "${recent:-}" ]; then
    echo "Python est là ($recent) mais sans le module venv. Sur Debian ou Ubuntu : apt install python3-venv" >&2
    echo "($recent cannot make a virtual environment: install python3-venv, or set PYTHON=/path/to/python3.)" >&2
else
    echo "Il faut Python 3.11 ou plus récent (https://www.python.org/downloads/), puis relancez la commande." >&2
    echo "(Python 3.11 or newer is needed; if yours has another name: make run PYTHON=/path/to/python3.)" >&2
fi
exit 1
