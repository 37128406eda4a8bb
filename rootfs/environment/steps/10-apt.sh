# Leaves apt as a person would find it: package lists are fetched by the first `apt-get update`.
root=$1
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
# Maintainer scripts must neither ask nor start anything: there is no service manager.
echo 'debconf debconf/frontend select Noninteractive' | chroot "$root" debconf-set-selections
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
# Some packages register alternatives of manual pages and fail when the folders are missing.
mkdir -p "$root"/usr/share/man/man{1..8}
