import { Cause, Chunk, Option } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../contract/errors.ts"
import { FileFailed, isDiskFull } from "../system/files/failure.ts"
import { toHostError } from "../system/files/host-error.ts"

/** What a file function of Node throws when the one whose directory it is can mend it: rights, a file for a folder, a failing disk. */
const MENDABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP", "EIO"])

const troubleOf = (defect: unknown): Option.Option<NoSpace | StateDirectoryUnusable> => {
  if (!(defect instanceof Error)) return Option.none()
  const { code, message, path, syscall = "open" } = defect as NodeJS.ErrnoException
  if (path === undefined || code === undefined) return Option.none()
  return isDiskFull(defect) || MENDABLE.has(code)
    ? Option.some(toHostError(new FileFailed({ operation: syscall, path, code, detail: message })))
    : Option.none()
}

/**
 * What a file of pyro's own refused is a fact about the host, and no defect of the program, wherever it shows: after a command under sudo,
 * say, or where somebody moved things about. Failures, and defects of any other kind, stay what they are.
 */
export const sayHostTrouble = <E>(cause: Cause.Cause<E>): Cause.Cause<E | NoSpace | StateDirectoryUnusable> =>
  Option.match(Chunk.head(Chunk.filterMap(Cause.defects(cause), troubleOf)), {
    onNone: () => cause,
    onSome: Cause.fail
  })
