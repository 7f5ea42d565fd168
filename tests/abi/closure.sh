#!/bin/sh
# closure.sh LIBRARY: nothing the library pulls in brings a C++ runtime, torch or OpenMP into the host.
set -eu
closure=$(ldd "$1")
echo "$closure"
! echo "$closure" | grep -q 'not found' || { echo "closure: a library is missing" >&2; exit 1; }
! echo "$closure" | grep -E 'libstdc\+\+|libc\+\+|libtorch|libc10|libgomp|libomp|libav(codec|format|util)|libopencv' ||
  { echo "closure: the host would get the above" >&2; exit 1; }
readelf -d "$1" | grep -q 'SONAME.*\[libinterpos.so.0\]' || { echo "closure: the soname is not libinterpos.so.0" >&2; exit 1; }
