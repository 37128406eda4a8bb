# initramfs.sh ROOT INIT: writes an initramfs that loads the disk's and ext4's modules and goes over to /dev/vda.
root=$1
init=$2
version=$(ls "$root/lib/modules" | sort -V | tail -n 1)
tree=$(mktemp -d -p .)
mkdir -p "$tree"/{bin,dev,proc,sys,modules,new}
cp "$root/bin/busybox" "$tree/bin/busybox"
install -m 755 "$init" "$tree/init"
chroot "$root" depmod "$version"
for name in virtio_pci virtio_blk ext4; do
  chroot "$root" modprobe --set-version "$version" --show-depends "$name"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r module; do
  name=${module##*/}
  case $name in
    *.xz) xz -dc "$root$module" >"$tree/modules/${name%.xz}" ;;
    *) cp "$root$module" "$tree/modules/$name" ;;
  esac
  echo "${name%.xz}" >>"$tree/modules/order"
done
touch "$tree/modules/order"
(cd "$tree" && find . | cpio --quiet -o -H newc --owner 0:0)
rm -rf "$tree"
