#!/usr/bin/env bash
# Checks the package on other versions than the lock's, in an environment of its own; see the Makefile's check-*.
#   newest, oldest   the ends of the ranges in pyproject.toml: the suite, with every deprecation that it meets reported,
#                    and the quickstart's first question
#   base             the locked versions without torch: every test that needs none
set -euo pipefail
cd "$(dirname "$0")/.."
kind=$1
env=.venv-$kind
python=$env/bin/python

echo "Installing into $env"
"${PYTHON:-python3}" -m venv --clear "$env"
"$python" -m pip install --quiet --no-deps --require-hashes --requirement requirements/build.txt
compile() { "$UV" pip compile --quiet --python "$python" --output-file "$env/requirements.txt" "$@" pyproject.toml; }
case $kind in
    newest) compile --extra dev --resolution highest --excludes requirements/without.txt requirements/lock.in ;;
    oldest) compile --extra dev --resolution lowest-direct --excludes requirements/without.txt requirements/lock.in ;;
    base) sed -E '/^ +(--hash|#)/d; s/ *\\$//' requirements/lock.txt >"$env/constraints.txt" ;;
    *) echo "usage: $0 newest|oldest|base" >&2; exit 2 ;;
esac
if [ "$kind" = base ]; then
    "$python" -m pip install --quiet --no-build-isolation --constraint "$env/constraints.txt" --editable '.[docs,test]'
    exec env OMP_NUM_THREADS=1 "$python" -m pytest -n auto --dist loadfile --no-loadscope-reorder
fi
"$python" -m pip install --quiet "$TORCH"
"$python" -m pip install --quiet --no-deps --requirement "$env/requirements.txt"
"$python" -m pip install --quiet --no-deps --no-build-isolation --editable .
"$python" requirements/changed.py

PYTHONWARNINGS=default "$python" -m alpha_umi quickstart --only-first 2> >(tee "$env/quickstart.err" >&2)
if grep -E '(Deprecation|Future)Warning:' "$env/quickstart.err"; then
    echo "error: the quickstart meets deprecations" >&2
    exit 1
fi
OMP_NUM_THREADS=1 "$python" -m pytest -n auto --dist loadfile --no-loadscope-reorder -p tests.deprecations
