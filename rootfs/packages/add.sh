#!/bin/bash
# Makes ./root.erofs of the image ./base.erofs and more Debian packages, and lists all its packages in ./packages.
#
# Runs as environment/build.sh does, and takes the same variables. PYRO_PACKAGES are the packages to add. The base has its kernel modules.
# PYRO_EROFS is the program that unpacks images.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# The guest's programs run with it too: the usual folders come first.
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"

step() { echo "pyro-step: $1"; }

step unpack
touch started
# The working folder stays reachable as the current directory even if PYRO_MOUNT hides its path.
if [ "$PYRO_STORE" = memory ]; then
  mount -t tmpfs -o mode=755,size=90% pyro-build "$PYRO_MOUNT"
else
  mkdir -p "$PYRO_STORE"
  chmod 755 "$PYRO_STORE"
  mount --bind "$PYRO_STORE" "$PYRO_MOUNT"
fi
root=$PYRO_MOUNT/root
debs=$root/var/cache/apt/archives
mkdir -p "$PYRO_MOUNT/recipe" "$PYRO_MOUNT/tmp"
chmod 1777 "$PYRO_MOUNT/tmp"
cp -r "$PYRO_RECIPE/." "$PYRO_MOUNT/recipe/"
mkdir "$root"
"$PYRO_EROFS" base.erofs "$root"
mkdir -p "$debs/partial"
cp "$PYRO_APT_CONF" "$root/etc/apt/apt.conf.d/01pyro-host"
# The new list of sources takes the place of the base's.
rm -f "$root/etc/apt/sources.list"
find "$PYRO_DEBS" -maxdepth 1 -name '*.deb' -exec cp -t "$debs" {} +
ls "$debs" >known-debs

step packages
mapfile -t sources <"$PYRO_SOURCES"
# The base has the essential packages, of which mmdebstrap fetches newer ones alone. apt installs the others.
TMPDIR=$PYRO_MOUNT/tmp mmdebstrap --mode=root --variant=apt --format=directory --verbose \
  --include="$PYRO_PACKAGES" \
  --skip=check/empty --skip=check/signed-by --skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache \
  "$PYRO_SUITE" "$root" "${sources[@]}" 2>&1

step keep-packages
for deb in "$debs"/*.deb; do
  name=${deb##*/}
  if [ -e "$deb" ] && ! grep -qxF "$name" known-debs; then
    # Copied under another name first: a package that is half there must never look whole.
    cp "$deb" "$PYRO_DEBS/.$name.$$"
    rm -f "$PYRO_DEBS/${name%%_*}"_*
    mv "$PYRO_DEBS/.$name.$$" "$PYRO_DEBS/$name"
  fi
done
rm -f "$root/etc/apt/apt.conf.d/01pyro-host"

step customise
bash -euo pipefail "$(dirname "$0")/docker/setup.sh" "$root"
# The base has its user already, which 30-agent.sh makes.
for script in 10-apt 20-system 90-clean; do
  bash -euo pipefail "$PYRO_MOUNT/recipe/steps/$script.sh" "$root" "$PWD"
done
chroot "$root" dpkg-query -W -f '${Package}=${Version}\n' | LC_ALL=C sort >packages

step image
epoch=$(bash -euo pipefail "$PYRO_MOUNT/recipe/settle-times.sh" "$root" started)
SOURCE_DATE_EPOCH=$epoch mkfs.erofs --quiet -U 70797261-0000-4000-8000-000000000000 root.erofs "$root"
