#!/bin/bash
# Builds one environment image into ./root.erofs and lists its packages in ./packages.
#
# Runs as root of mount and pid namespaces of its own (an ordinary user's root where a user namespace gives that). Takes all it
# knows from the environment:
#   PYRO_SUITE     Debian release, such as bookworm
#   PYRO_PACKAGES  packages to install beside apt and the essential ones, separated by commas
#   PYRO_SOURCES   file of `deb …` lines
#   PYRO_APT_CONF  file of apt settings of the host (proxies and the like), used for the build alone
#   PYRO_DEBS      folder of packages that were downloaded earlier; new ones are added to it
#   PYRO_RECIPE    folder of this script
#   PYRO_MOUNT     folder of the host to build beneath; only this namespace sees what is mounted there
#   PYRO_STORE     `memory` or a folder on disk: where the tree grows
#
# The guest kernel is fetched meanwhile: its modules appear as ./modules.tar.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# The guest's programs run with it too: the usual folders come first.
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"

step() { echo "pyro-step: $1"; }

step prepare
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
mkdir -p "$PYRO_MOUNT/recipe" "$PYRO_MOUNT/tmp" "$root"/etc/{apt/apt.conf.d,apt/preferences.d,dpkg/dpkg.cfg.d} \
  "$root"/usr/{bin,sbin,lib,lib64} \
  "$debs/partial"
chmod 1777 "$PYRO_MOUNT/tmp"
cp -r "$PYRO_RECIPE/." "$PYRO_MOUNT/recipe/"
cp "$PYRO_APT_CONF" "$root/etc/apt/apt.conf.d/01pyro-host"
cp "$PYRO_RECIPE/apt.conf" "$root/etc/apt/apt.conf.d/10pyro"
# Put there by hand: given as an option, every essential package would be unpacked through a slow filter (12 s more).
cp "$PYRO_RECIPE/dpkg.cfg" "$root/etc/dpkg/dpkg.cfg.d/10pyro"
# Merged from the start, so that the package that would merge a finished system (and needs all of perl) stays out.
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
printf 'Package: usrmerge\nPin: release *\nPin-Priority: -1\n' >"$root/etc/apt/preferences.d/01pyro-build"
find "$PYRO_DEBS" -maxdepth 1 -name '*.deb' -exec cp -t "$debs" {} +
ls "$debs" >known-debs

step bootstrap
mapfile -t sources <"$PYRO_SOURCES"
TMPDIR=$PYRO_MOUNT/tmp mmdebstrap --mode=root --variant=apt --format=directory --verbose \
  --include="$PYRO_PACKAGES" \
  --skip=check/empty --skip=check/signed-by --skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache \
  --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --download-only install locales' \
  "$PYRO_SUITE" "$root" "${sources[@]}" 2>&1

step keep-packages
for deb in "$debs"/*.deb; do
  name=${deb##*/}
  if ! grep -qxF "$name" known-debs; then
    # Copied under another name first: a package that is half there must never look whole.
    cp "$deb" "$PYRO_DEBS/.$name.$$"
    rm -f "$PYRO_DEBS/${name%%_*}"_*
    mv "$PYRO_DEBS/.$name.$$" "$PYRO_DEBS/$name"
  fi
done
rm -f "$root/etc/apt/apt.conf.d/01pyro-host" "$root/etc/apt/preferences.d/01pyro-build"

step customise
for script in "$PYRO_MOUNT"/recipe/steps/*.sh; do
  bash -euo pipefail "$script" "$root" "$PWD"
done
if [ ! -e modules.tar ]; then
  step await-kernel
  until [ -e modules.tar ]; do sleep 0.1; done
fi
rm -rf "${root:?}/lib/modules"
tar -C "$root" --no-same-owner -xf modules.tar
chroot "$root" dpkg-query -W -f '${Package}=${Version}\n' | LC_ALL=C sort >packages

step image
epoch=$(bash -euo pipefail "$PYRO_MOUNT/recipe/settle-times.sh" "$root" started)
echo "$epoch" >epoch
# Plain, not compressed: under emulation a guest would spend more on unpacking than a host's page cache costs.
SOURCE_DATE_EPOCH=$epoch mkfs.erofs --quiet -U 70797261-0000-4000-8000-000000000000 root.erofs "$root"
