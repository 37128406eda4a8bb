# Names, locale and the files that every program expects to find.
root=$1
echo 'LANG=C.UTF-8' >"$root/etc/default/locale"
echo 'LANG=C.UTF-8' >"$root/etc/environment"
rm -f "$root/etc/hostname"
echo pyro >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\tpyro\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
# Filled when a VM gets its identity and its network.
: >"$root/etc/machine-id"
rm -f "$root/etc/resolv.conf"
: >"$root/etc/resolv.conf"
# As systemd and Docker have it.
ln -sf ../proc/self/mounts "$root/etc/mtab"
mkdir -p "$root/workspace"
# Seeded files belong to root while `agent` may be the one who asks git about them.
cat >"$root/etc/gitconfig" <<'G'
[safe]
	directory = *
[init]
	defaultBranch = main
[advice]
	detachedHead = false
G
