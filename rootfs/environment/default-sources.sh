#!/bin/bash
# default-sources.sh RELEASE FOLDER: prints the `deb …` lines that mmdebstrap chooses by itself, for a host whose apt knows no
# mirror of Debian. Runs as root of a mount namespace and works beneath FOLDER, which only this namespace sees changed; stops
# mmdebstrap before it fetches anything.
set -uo pipefail
mount -t tmpfs -o mode=755 pyro-sources "$2"
mkdir "$2/root" "$2/tmp"
TMPDIR=$2/tmp mmdebstrap --mode=root --variant=custom --format=directory --quiet \
  --setup-hook='cat "$1/etc/apt/sources.list" >&2; exit 1' "$1" "$2/root" 2>&1 | grep '^deb '
exit "${PIPESTATUS[1]}"
