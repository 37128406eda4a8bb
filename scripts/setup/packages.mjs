/** Debian's names; Ubuntu's are the same. What a command line of the product calls, and what building it takes. */
export const toRun = [
  "bubblewrap", // confines QEMU and the tools that read hostile files
  "bzip2", // seed archives, like xz and zstd
  "debian-archive-keyring", // signatures of the packages that environments are made of
  "e2fsprogs", // what pyro's own writer of images is measured against and checked with
  "erofs-utils", // environment images
  "gcc",
  "kmod", // the guest kernel's module dependencies
  "libarchive-dev", // seeds from zip and 7z archives
  "libc6-dev",
  "libext2fs-dev", // seed images
  "lz4", // the guest's initramfs
  "make",
  "mmdebstrap",
  "musl-tools", // the static guest agent
  "qemu-system-x86",
  "qemu-utils",
  "uidmap", // environments built by an ordinary user
  "xz-utils",
  "zstd"
]

/** Besides those, for the sanitizer and fuzz builds of the guest agent, and to read archives with another program than wrote them. */
export const toTest = ["clang", "cpio", "fish", "libclang-rt-dev", "zip", "zsh"]

/** Besides those, for the floors that the bench measures, and for the lab's machine. */
export const toBench = ["cpio"]

/** Besides those, for static analysis. */
export const toCheck = ["clang-tidy"]

/** Installed packages that do as well: Debian's versioned names of one that is else pulled in by an unversioned one. */
export const sameAs = { "libclang-rt-dev": /^libclang-rt-\d+-dev$/ }

/** Commands by which a host without dpkg is judged. */
export const commandsToRun = [
  "bwrap",
  "bzip2",
  "depmod",
  "gcc",
  "lz4", // the guest's initramfs
  "make",
  "mke2fs",
  "mkfs.erofs",
  "mmdebstrap",
  "musl-gcc",
  "newuidmap",
  "qemu-img",
  "qemu-system-x86_64",
  "xz",
  "zstd"
]
