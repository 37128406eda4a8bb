/** One member of a cpio archive. `mode` includes the file type, as in stat(2). */
export interface CpioEntry {
  readonly name: string
  readonly mode: number
  readonly content?: Uint8Array
  /** Major and minor number of a device node. */
  readonly device?: readonly [major: number, minor: number]
}

export const fileType = { directory: 0o040000, character: 0o020000, regular: 0o100000 } as const

/**
 * Members of an archive in the kernel's initramfs format ("newc", Documentation/driver-api/early-userspace/buffer-format.rst). All
 * members belong to root and have time 0. Inode numbers count from `firstInode`, in the given order. Several such pieces and
 * `cpioEnd` make an archive.
 */
export const cpioMembers = (entries: ReadonlyArray<CpioEntry>, firstInode: number): Buffer =>
  Buffer.concat(entries.flatMap((entry, index) => member(entry, firstInode + index)))

const member = (entry: CpioEntry, inode: number): ReadonlyArray<Uint8Array> => {
  const name = Buffer.from(entry.name + "\0", "utf8")
  const content = entry.content ?? new Uint8Array(0)
  const links = (entry.mode & 0o170000) === fileType.directory ? 2 : 1
  const [major, minor] = entry.device ?? [0, 0]
  const header = "070701" + [
    inode,
    entry.mode,
    0, // uid
    0, // gid
    links,
    0, // mtime
    content.length,
    0, // major and minor of the device that holds it
    0,
    major,
    minor,
    name.length,
    0 // checksum, unused in this format
  ].map((field) => field.toString(16).padStart(8, "0")).join("")
  const head = Buffer.concat([Buffer.from(header, "latin1"), name])
  return [head, padding(head.length), content, padding(content.length)]
}

/** Header with name, and content, each end on a multiple of 4. */
const padding = (length: number) => new Uint8Array((4 - (length % 4)) % 4)

/** Last member of every archive. */
export const cpioEnd: Buffer = Buffer.concat(member({ name: "TRAILER!!!", mode: 0 }, 0))
