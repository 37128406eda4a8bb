/** Debian's names, which are Ubuntu's, too: programs that compile pyro's own programs. The npm package has these programs. */
const toCompile = ["gcc", "libarchive-dev", "libc6-dev", "libext2fs-dev", "make", "musl-tools"]

/** Programs that the product calls. */
export const toUse = [
  "bubblewrap", // confines QEMU and the tools that read hostile files
  "bzip2", // seed archives, like xz and zstd
  "debian-archive-keyring", // signatures of the packages that environments are made of
  "e2fsprogs", // reference for measurements and checks of pyro's own image writer
  "erofs-utils", // environment images
  "kmod", // the guest kernel's module dependencies
  "lz4", // the guest's initramfs
  "mmdebstrap",
  "qemu-system-x86",
  "qemu-utils",
  "uidmap", // environments built by an ordinary user
  "xz-utils",
  "zstd"
]

/** Programs that a clone needs. */
export const toRun = [...toCompile, ...toUse]

/**
 * Additional packages for the sanitizer and fuzz builds of the guest agent, for reading archives with an independent program, for the
 * namespaces that stand for networks, and for the clients of SSH.
 */
export const toTest = [
  "clang",
  "cpio",
  "fish",
  "iproute2",
  "libclang-rt-dev",
  "openssh-client",
  "python3",
  "python3-pip", // packages of PyPI that check and test rootfs/image
  "rsync",
  "zip",
  "zsh"
]

/** Programs that unpack the Python of builders, and fetch its packages. */
export const toRunPython = ["mmdebstrap", "python3", "python3-pip"]

/** Additional packages for the tests of the page, and of real projects: a browser opens them. */
export const toBrowse = ["chromium"]

/** Additional packages for the bench's floors, and for the lab's machine. */
export const toBench = ["cpio"]

/** Additional packages for static analysis and the format of C. */
export const toCheck = ["clang-format", "clang-tidy"]

/** Acceptable installed alternatives: Debian's versioned names of packages that an unversioned one pulls in. */
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
