# An ordinary user for what should not run as root, who can still become root.
root=$1
chroot "$root" groupadd --gid 1000 agent
chroot "$root" useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash agent
echo 'agent ALL=(ALL:ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/agent"
chmod 440 "$root/etc/sudoers.d/agent"
