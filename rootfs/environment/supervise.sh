#!/bin/bash
# First process of the pid namespace in which an environment is built: supervise.sh LOCK COMMAND…
#
# Whoever asked for the build holds a lock on the file LOCK, which the kernel lets go of when that process dies in any way.
# This script waits for the command and for that lock at once; when it ends, the kernel kills everything in the namespace and
# unmounts what was mounted there. So a build never outlives the one who wanted it.
set -uo pipefail
lock=$1
shift
"$@" </dev/null &
build=$!
flock --shared "$lock" true </dev/null >/dev/null 2>&1 &
wait -n -p first
status=$?
[ "$first" = "$build" ] || status=137
exit "$status"
