#!/bin/bash
# settle-times.sh ROOT STARTED: makes the times in a tree depend on its packages alone, and prints the newest of them.
#
# Files keep the times that their packages gave them, since compiled Python modules name the time of their source. What this
# build made itself (newer than the file STARTED) and every folder get the newest of those times.
root=$1
started=$2
epoch=$(find "$root" -xdev ! -type d ! -newer "$started" -printf '%Ts\n' | sort -n | tail -n 1)
find "$root" -xdev \( -type d -o -newer "$started" \) -print0 | xargs -0 -r touch --no-dereference --date="@$epoch"
echo "$epoch"
