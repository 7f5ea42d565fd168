#!/bin/sh
# refresh.sh BUILD: stores the exported names and the ABI of the library in BUILD as the new baseline.
set -eu
here=$(dirname "$0")
library=$1/lib/api/libinterpos.so.0
sh "$here/symbols.sh" "$library" >"$here/symbols.txt"
sh "$here/abi.sh" "$library" "$here/../../include" >"$here/interpos.abi"
wc -l "$here/symbols.txt" "$here/interpos.abi"
