#!/usr/bin/env bash
# Every test, from nothing: installs what is missing, builds, runs all suites.
#   tests/run.sh [--torch PATH|pip|none] [--quick]
# --torch: a second libtorch the engine is built and tested against besides Debian's: a folder, or the CPU build that pip
#          installs (default), or none.
# --quick: the plain build's tests only.
set -euo pipefail
cd "$(dirname "$0")/.."
torch=pip quick=
while [ $# -gt 0 ]; do
  case $1 in
    --torch) torch=$2; shift ;;
    --quick) quick=1 ;;
    -h|--help) sed -n '2,6s/^# \?//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done
failed=0 passed=0
suite() { # title, build folder, meson test arguments
  local title=$1 build=$2 log; shift 2
  echo "== $title"
  if meson test -C "$build" --no-rebuild --print-errorlogs "$@"; then :; else failed=1; fi
  log=$build/meson-logs/testlog.txt
  [ ! -f "$log" ] || passed=$((passed + $(sed -n 's/^Ok: *//p' "$log")))
}

./setup.sh --tests
suite "tests, Debian's libtorch" build
[ -n "$quick" ] || {
  ./setup.sh --tests --build build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
  export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  suite "the same under ASan and UBSan" build-sanitize --no-suite nosanitize --timeout-multiplier 4
  unset ASAN_OPTIONS UBSAN_OPTIONS
  if [ "$torch" = pip ]; then
    wheels=build-torch/wheels
    mkdir -p build-torch
    [ -d build-torch/torch ] || { # no dependencies: only the folder's include/ and lib/ are used
      python3 -m pip download --quiet --no-deps --only-binary=:all: -d $wheels torch==2.13.0 &&
        python3 -m zipfile -e $wheels/torch-*.whl build-torch && rm -rf $wheels || { rm -rf $wheels; exit 1; }
    }
    torch=$PWD/build-torch/torch
    if [ -e "$torch/lib/libtorch_cuda.so" ]; then
      echo "run.sh: pip served a CUDA build of torch 2.13.0; for the second libtorch give --torch FOLDER of a CPU build" >&2
      [ "${CI:-}" != true ] || exit 1
      torch=none
    fi
  fi
  if [ "$torch" != none ]; then
    ./setup.sh --tests --build build-torch/build "-Dlibtorch=$torch"
    suite "engine, libtorch in $torch" build-torch/build --suite engine
  fi
}
echo "$passed passed, $failed failed"
exit $failed
