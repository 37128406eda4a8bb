import { Effect } from "effect"
import { readFile, writeFile } from "../system/files/content.ts"
import { runTool } from "../system/processes/child.ts"
import { cpioEnd, cpioMembers, fileType } from "./kernel/cpio.ts"

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
 * Zeros up to a whole page, and at least the four that end lz4's blocks. QEMU puts an initramfs at the end of the guest's memory,
 * begun at a page, and since QEMU 10 the ACPI tables lie in the last page: the end of an image that takes a part of it overwrites
 * them, and the boot hangs.
 */
const wholePages = (image: Buffer) => {
  const endedBytes = image.length + 4
  return Buffer.concat([image, Buffer.alloc(4 + (pageBytes - endedBytes % pageBytes) % pageBytes)])
}
