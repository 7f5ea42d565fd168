#!/usr/bin/env bash
# Installs what is missing from Debian and builds libinterpos. Used by examples/demo.sh and tests/run.sh; also fine alone.
#   ./setup.sh [--tests] [--build DIR] [MESON OPTIONS...]
# Options for meson, e.g. -Dlibtorch=/path/to/torch, are passed on. Rerunning is quick: only what is missing is done.
set -euo pipefail
cd "$(dirname "$0")"
build=build tests=disabled
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --tests) tests=enabled ;;
    --build) build=$2; shift ;;
    -h|--help) sed -n '2,4s/^# \?//p' "$0"; exit 0 ;;
    *) options+=("$1") ;;
  esac
  shift
done

packages=(gcc g++ meson ninja-build pkg-config libtorch-dev libopenblas0-pthread libopencv-calib3d-dev libceres-dev libembree-dev libpng-dev libtiff-dev libjpeg-dev libopenexr-dev
  libsqlite3-dev libjansson-dev libexpat1-dev libssl-dev ffmpeg)
[ "$tests" = disabled ] || packages+=(libcmocka-dev abigail-tools binutils clang libclang-rt-14-dev opencv-doc python3 python3-numpy
  python3-opencv python3-pip python3-pytest python3-venv python3-setuptools python3-wheel openimageio-tools openexr libpng-tools
  file)
packages+=(${INTERPOS_PACKAGES:-})

log=$(mktemp) && trap 'rm -f "$log"' EXIT
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup: these packages are missing and need root or sudo: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; exit 1; }
fi

if [ ! -f "$build/build.ninja" ]; then
  meson setup "$build" -Dtests="$tests" "${options[@]}" >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; exit 1; }
elif ! meson configure "$build" -Dtests="$tests" "${options[@]}" >"$log" 2>&1; then
  tail -n 30 "$log" >&2; exit 1
fi
ninja -C "$build" --quiet
