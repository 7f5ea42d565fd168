#!/bin/sh
# sockets.sh BINARY...: none of our binaries asks for a network or socket function.
set -eu
names='socket|socketpair|connect|bind|listen|accept|accept4|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|shutdown'
names="$names|getsockopt|setsockopt|getsockname|getpeername|getaddrinfo|getnameinfo|gethostby[a-z_0-9]*|inet_[a-z]*|res_[a-z]*"
bad=0
for binary in "$@"; do
  [ -f "$binary" ] || { echo "sockets: no $binary" >&2; exit 1; }
  found=$(nm -D --undefined-only "$binary" | awk '{sub(/@.*/, "", $2); print $2}' | grep -xE "$names" || true)
  [ -z "$found" ] || { echo "$binary asks for:" $found >&2; bad=1; }
  echo "checked $binary"
done
exit $bad
