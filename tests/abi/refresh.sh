#!/bin/sh
# refresh.sh BUILD: stores the exported names and the ABI of the library in BUILD as the new baseline.
set -eu
here=$(dirname "$0")
library=$1/lib/api/libinterpos.so.0
sh "$here/symbols.sh" "$library" >"$here/symbols.txt"
abidw --headers-dir "$here/../../include" --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs "$library" \
  --out-file "$here/interpos.abi"
wc -l "$here/symbols.txt" "$here/interpos.abi"
