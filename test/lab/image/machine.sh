# machine.sh ROOT RECIPE: turns a bare Debian tree into the outer machine: one ordinary user, devices by udev, no network, and a
# service that takes the lab's commands.
root=$1
recipe=$2

echo lab >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\tlab\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
: >"$root/etc/resolv.conf"
# useradd gives ranges of subordinate ids, as on any Debian machine. The home's content is a disk of its own.
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash dev

# Read by every login. A machine under translation is slow, and slower where the host has other work: what is merely slow must not
# be taken for stuck. OpenSSL's SSSE3 code is four times slower under translation than its plain one.
printf '%s\n' 'LANG=C.UTF-8' 'PYRO_DEADLINE_SCALE=20' 'OPENSSL_ia32cap=~0x20000000000' >"$root/etc/environment"

printf '%s\n' \
  '/dev/vda / ext4 rw,noatime 0 0' \
  '/dev/disk/by-id/virtio-project /home/dev ext4 rw,noatime 0 0' >"$root/etc/fstab"
install -m 644 "$recipe/lab.service" "$root/etc/systemd/system/lab.service"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../lab.service "$root/etc/systemd/system/multi-user.target.wants/lab.service"
# Nobody sits at a terminal, and what Debian starts for desktops, servers and its own upkeep would only compete for two emulated
# processors.
for unit in getty.target getty@tty1.service serial-getty@ttyS0.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-tmpfiles-clean.timer networking.service nftables.service systemd-firstboot.service systemd-binfmt.service \
  systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
  systemd-random-seed.service systemd-repart.service systemd-tpm2-setup-early.service dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  proc-sys-fs-binfmt_misc.automount modprobe@{configfs,drm,dm_mod,efi_pstore,fuse,loop}.service; do
  ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
