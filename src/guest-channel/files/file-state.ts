import type { WrittenFile } from "../files.ts"
import { offset, Reader, u32, u64, u8 } from "../wire/control.ts"
import { Violation } from "../wire/violation.ts"

export const FILE_STATE_BYTES = 21

/** Throws `Violation`. */
export const readFileState = (bytes: Buffer): WrittenFile => {
  const from = new Reader(bytes)
  const flags = u8.read(from)
  const mode = u32.read(from)
  const size = offset.read(from)
  const version = u64.read(from)
  from.end()
  if (flags > 1 || mode > 0o7777 || version === 0n) throw new Violation("a file's state that cannot be")
  return { created: flags === 1, mode, size, version: version.toString(16).padStart(16, "0") }
}
