#!/bin/sh
# abi.sh LIBRARY HEADERS BASELINE: types and functions a host sees, against the stored baseline. Types behind handles do not count.
set -eu
command -v abidiff >/dev/null || { echo "abi: abidiff is missing (package abigail-tools)"; exit 77; }
abidiff --headers-dir2 "$2" --drop-private-types --fail-no-debug-info "$3" "$1" || {
  echo "abi: the ABI changed; if that is meant (and, once released, only adds): sh tests/abi/refresh.sh BUILD" >&2; exit 1; }
