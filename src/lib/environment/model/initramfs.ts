import { Effect } from "effect"
import { readFile, writeFile } from "../../../system/files/content.ts"
import { runTool } from "../../../system/processes/child.ts"

const pageBytes = 4096

/**
 * The initramfs that every VM boots with: the guest agent as `/init`, the modules that it loads and their order, and
 * `/dev/console`, without which the kernel would start it with no stdin, stdout and stderr.
 */
export const buildInitramfs = (options: {
  readonly agent: string
  /** Piece of an archive that `unpackKernel` made. */
  readonly bootModules: string
  readonly target: string
}) =>
  Effect.gen(function*() {
    const own = cpioMembers([
      { name: "dev", mode: fileType.directory | 0o755 },
      { name: "dev/console", mode: fileType.character | 0o600, device: [5, 1] },
      { name: "init", mode: fileType.regular | 0o755, content: yield* readFile(options.agent) }
    ], 1)
    const archive = Buffer.concat([own, yield* readFile(options.bootModules), cpioEnd])
    // -l: the older frame format, the only one that the kernel unpacks.
    const packed = yield* runTool("lz4", ["-l", "-9", "-c"], { input: archive })
    yield* writeFile(options.target, wholePages(packed.stdout), { mode: 0o444 })
  })

/**
 * Appends zeros up to a whole page, and at least the four that end lz4's blocks. QEMU puts an initramfs at the end of the guest's memory,
 * at a page boundary, and since QEMU 10 the ACPI tables are in the last page. An image that ends within that page overwrites
 * them, and the boot hangs.
 */
const wholePages = (image: Buffer) => {
  const endedBytes = image.length + 4
  return Buffer.concat([image, Buffer.alloc(4 + (pageBytes - endedBytes % pageBytes) % pageBytes)])
}

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
