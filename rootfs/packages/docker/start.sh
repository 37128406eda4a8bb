#!/bin/bash
# Runs Docker until it ends. The guest agent starts this script when a program connects to Docker's socket, and gives the listener as
# descriptor 0. The agent ends what the script leaves.
set -euo pipefail
exec 3<&0 </dev/null >>/var/log/docker.log 2>&1
data=/var/lib/docker
state=/run/docker/containerd
disk=/run/docker/disk
mkdir -p "$data" "$state"

# The root is an overlay, on which Docker's overlay2 does not work. So the data lie on the disk's own file system, beside /workspace.
if ! mountpoint -q "$data"; then
  mkdir -p "$disk"
  mount -o noatime "$(findmnt -nvo SOURCE /workspace)" "$disk"
  mkdir -p "$disk/docker"
  mount --bind "$disk/docker" "$data"
  umount "$disk"
fi

# dockerd gives a containerd of its own 15 s to start, which may be too short in a guest without KVM.
rm -f "$state/containerd.sock" /run/docker.pid
containerd --config /usr/lib/pyro/containerd.toml --address "$state/containerd.sock" \
  --root "$data/containerd/daemon" --state "$state/daemon" 3<&- &
until [ -S "$state/containerd.sock" ]; do
  kill -0 $!
  sleep 0.1
done

# Containers belong to the programs that pyro stops while it makes a fork unique.
(LISTEN_PID=$BASHPID LISTEN_FDS=1 exec dockerd --host fd:// --containerd "$state/containerd.sock" --cgroup-parent /pyro/docker) &
exec 3<&-
wait -n
