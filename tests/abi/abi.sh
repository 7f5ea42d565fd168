#!/bin/sh
# abi.sh LIBRARY HEADERS BASELINE: types and functions a host sees, against the stored baseline; without BASELINE prints them.
# What lies behind handles does not count. (Both sides are described alike: abidiff's own filter by headers hides public changes.)
set -eu
command -v abidiff >/dev/null || { echo "abi: abidiff is missing (package abigail-tools)"; exit 77; }
now=$(mktemp)
trap 'rm -f "$now"' EXIT
abidw --headers-dir "$2" --drop-private-types --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs \
  --no-write-default-sizes "$1" | sed "s#path='[^']*/lib/#path='lib/#" >"$now"
[ $# -gt 2 ] || { cat "$now"; exit 0; }
grep -q ipos_context_config "$now" || { echo "abi: the library carries no debug information" >&2; exit 1; }
abidiff --suppressions "$(dirname "$0")/private.suppr" "$3" "$now" || {
  echo "abi: the ABI changed; if that is meant (and, once released, only adds): sh tests/abi/refresh.sh BUILD" >&2; exit 1; }
