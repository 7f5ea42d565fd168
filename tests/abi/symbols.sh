#!/bin/sh
# symbols.sh LIBRARY LIST: exactly the names in LIST leave the library, all in its version node. `symbols.sh LIBRARY` prints them.
set -eu
found=$(nm -D --defined-only "$1" | awk '$2 != "A" {print $3}' | sort)
[ $# -gt 1 ] || { printf '%s\n' "$found"; exit 0; }
printf '%s\n' "$found" | diff -u "$2" - || {
  echo "symbols: the exported names differ from $2; if that is meant: sh tests/abi/refresh.sh BUILD" >&2; exit 1; }
! printf '%s\n' "$found" | grep -v '^ipos_[a-z0-9_]*@@INTERPOS_[0-9]*$' || { echo "symbols: a name outside ipos_*" >&2; exit 1; }
