#!/bin/bash
# Makes ./root.erofs of the image ./base.erofs and of the npm packages that npm installed with the prefix ./npm.
#
# Runs as root of a namespace of its own, as build.sh does. The packages belong to root in the guest, beneath /usr/local. PYRO_EROFS is the program
# that unpacks images.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8

mkdir root
"$PYRO_EROFS" base.erofs root
# Time of the base's newest package.
epoch=$(stat -c %Y root)

chown -hR 0:0 npm
chmod -R u=rwX,go=rX npm
mkdir -p npm/bin npm/lib/node_modules root/usr/local/{bin,lib}
# An npm beside a Node that is a package itself takes that package for its prefix: what it installs would not be in PATH.
if [ -d npm/lib/node_modules/npm ]; then echo "prefix=/usr/local" >> npm/lib/node_modules/npm/npmrc; fi
find npm -exec touch -h -d "@$epoch" {} +
rm -rf root/usr/local/lib/node_modules
mv npm/lib/node_modules root/usr/local/lib/
find npm/bin -mindepth 1 -maxdepth 1 -exec mv -f -t root/usr/local/bin {} +
touch -d "@$epoch" root/usr/local/{bin,lib}

SOURCE_DATE_EPOCH=$epoch mkfs.erofs --quiet -U 70797261-0000-4000-8000-000000000000 root.erofs root
