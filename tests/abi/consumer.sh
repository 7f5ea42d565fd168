#!/bin/sh
# consumer.sh BUILD SOURCE README CC: installs the build into an empty root and uses it from outside the tree, as a packager's user would.
set -eu
build=$1 source=$2 readme=$3 cc=$4
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --destdir "$root/stage" --no-rebuild --quiet
pc=$(find "$root/stage" -name interpos.pc)
[ -n "$pc" ] || { echo "consumer: interpos.pc was not installed" >&2; exit 1; }
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_SYSROOT_DIR="$root/stage"
libs=$(find "$root/stage" -name libinterpos.so.0 -printf '%h')
! grep -nE 'stdc\+\+|torch|sqlite|jansson|expat' "$pc" || { echo "consumer: interpos.pc lets private parts through" >&2; exit 1; }
[ "$(pkg-config --variable=abi interpos)" = 0 ]
mkdir "$root/out" && cd "$root/out"
$cc -std=c99 -Wall -Wextra -Werror -pedantic $(pkg-config --cflags interpos) "$source" -o consumer $(pkg-config --libs interpos)
LD_LIBRARY_PATH="$libs" ./consumer "$root/out/consumer.png"
LD_LIBRARY_PATH="$libs" ./consumer "$root/out/consumer.tif"
sed -n '/^```c$/,/^```$/{/^```/d;p}' "$readme" >tool.c
$cc -std=c17 -Wall -Wextra -Werror tool.c -o tool $(pkg-config --cflags --libs interpos)
if LD_LIBRARY_PATH="$libs" ./tool 2>said; then echo "consumer: README's program found a project where there is none" >&2; exit 1; fi
grep film said
bin=$(find "$root/stage" -name interpos -type f -perm -u+x)
"$bin" --version
"$bin" operations >/dev/null
if [ -n "$(find "$root/stage" -name interpos-engine)" ]; then
  "$bin" engine | grep libtorch
fi
