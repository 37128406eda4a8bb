import { table } from "../../contract/text/names.ts"
/** Debian package of each host program that pyro starts. */
const packages = table<string>({
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  bwrap: "bubblewrap",
  cpio: "cpio",
  "dpkg-deb": "dpkg",
  "fsck.erofs": "erofs-utils",
  depmod: "kmod",
  flock: "util-linux",
  libarchive: "libarchive13",
  lz4: "lz4",
  mke2fs: "e2fsprogs",
  "mkfs.erofs": "erofs-utils",
  mmdebstrap: "mmdebstrap",
  nft: "nftables",
  nsenter: "util-linux",
  pasta: "passt",
  newuidmap: "uidmap",
  setpriv: "util-linux",
  unshare: "util-linux",
  xz: "xz-utils",
  zstd: "zstd"
})

/** Package that provides a host program, or the program's own name. */
export const packageOf = (tool: string) => packages[tool.slice(tool.lastIndexOf("/") + 1)] ?? tool
