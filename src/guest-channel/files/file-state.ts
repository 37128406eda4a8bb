import { offset, Reader, u32, u64, u8 } from "../wire/control.ts"
import { Violation } from "../wire/violation.ts"

/** State of a file before a read and after a write. */
export interface FileState {
  /** Permission bits and setuid, setgid, sticky. */
  readonly mode: number
  readonly size: number
  /** 16 hexadecimal digits: others after every change of content, mode or owner, and for another file of the same name. */
  readonly version: string
}

export interface WrittenFile extends FileState {
  /** Whether it was not there before. */
  readonly created: boolean
}

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
