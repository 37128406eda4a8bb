#!/bin/bash
# default-sources.sh RELEASE: prints the `deb …` lines that mmdebstrap chooses by itself, for a host whose apt knows no mirror
# of Debian. Runs as root of a mount namespace; stops mmdebstrap before it fetches anything.
set -uo pipefail
folder=$(mktemp -d)
mount -t tmpfs -o mode=755 pyro-sources "$folder"
mkdir "$folder/root" "$folder/tmp"
TMPDIR=$folder/tmp mmdebstrap --mode=root --variant=custom --format=directory --quiet \
  --setup-hook='cat "$1/etc/apt/sources.list" >&2; exit 1' "$1" "$folder/root" 2>&1 | grep '^deb '
umount "$folder"
rmdir "$folder"
