# setup.sh ROOT: lets the guest agent start Docker when a program connects to Docker's socket. Does nothing in a root without Docker.
root=$1
recipe=$(dirname "$0")
[ -x "$root/usr/sbin/dockerd" ] || exit 0
install -D -m 755 "$recipe/start.sh" "$root/usr/lib/pyro/docker"
install -D -m 644 "$recipe/containerd.toml" "$root/usr/lib/pyro/containerd.toml"
# The user that can become root may use Docker, which comes to the same.
chroot "$root" usermod --append --groups docker agent
group=$(chroot "$root" getent group docker | cut -d : -f 3)
mkdir -p "$root/etc/pyro"
echo "/run/docker.sock 660 $group /usr/lib/pyro/docker" >"$root/etc/pyro/sockets"
