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
failed=0 passed=0 broken=0
suite() { # title, build folder, meson test arguments
  local title=$1 log=$2/meson-logs/testlog.txt build=$2; shift 2
  echo "== $title"
  rm -f "$log"
  meson test -C "$build" --no-rebuild --print-errorlogs "$@" || broken=1
  passed=$((passed + $(sed -n 's/^Ok: *//p' "$log")))
  failed=$((failed + $(sed -n 's/^Fail: *//p' "$log") + $(sed -n 's/^Timeout: *//p' "$log")))
}

# A Python with a libtorch of its own: the second library to build against, and the one that must not disturb us in one process.
fetch_torch() {
  local venv=build-torch/venv
  if [ ! -x $venv/bin/python ]; then
    rm -rf build-torch/wheels
    python3 -m pip download --quiet --no-deps --only-binary=:all: -d build-torch/wheels torch==2.13.0 || return 1
    case $(echo build-torch/wheels/torch-*) in
      *+cpu-*) ;;
      *) echo "run.sh: pip serves a CUDA build of torch 2.13.0 here; give --torch FOLDER of a CPU build" >&2; return 1 ;;
    esac
    python3 -m venv $venv
    $venv/bin/python -m pip install --quiet --no-deps build-torch/wheels/torch-*.whl || { rm -rf $venv; return 1; }
    # What Python needs to import it; to build against its libraries nothing more is needed.
    $venv/bin/python -m pip install --quiet torch numpy || echo "run.sh: the test beside a Python with torch is left out" >&2
    rm -rf build-torch/wheels
  fi
  torch=$(echo "$PWD"/$venv/lib/python3*/site-packages/torch)
}

./setup.sh --tests
if [ "$torch" = pip ] && [ -z "$quick" ]; then
  fetch_torch || { [ "${CI:-}" != true ] || exit 1; echo "run.sh: going on without a second libtorch" >&2; torch=none; }
fi
suite "tests, Debian's libtorch" build
[ -n "$quick" ] || {
  ./setup.sh --tests --build build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
  export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  suite "the same under ASan and UBSan" build-sanitize --no-suite nosanitize --timeout-multiplier 4
  unset ASAN_OPTIONS UBSAN_OPTIONS
  if [ "$torch" != none ]; then
    ./setup.sh --tests --build build-torch/build "-Dlibtorch=$torch"
    suite "engine, libtorch in $torch" build-torch/build --suite engine
  fi
}
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $broken = 0 ]
