import { Cause, Chunk, Option } from "effect"
import { NoSpace, StateDirectoryUnusable } from "../contract/errors.ts"
import { isDiskFull } from "../system/disk-full.ts"

/** What a file function of Node throws when the one whose directory it is can mend it: rights, a file for a folder, a failing disk. */
const MENDABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP", "EIO"])

const troubleOf = (defect: unknown): Option.Option<NoSpace | StateDirectoryUnusable> => {
  if (!(defect instanceof Error)) return Option.none()
  const { code, message, path } = defect as NodeJS.ErrnoException
  if (path === undefined || code === undefined) return Option.none()
  if (isDiskFull(defect)) {
    return Option.some(new NoSpace({ where: "state directory", path, neededMib: 1, availableMib: 0 }))
  }
  return MENDABLE.has(code) ? Option.some(new StateDirectoryUnusable({ path, detail: message })) : Option.none()
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
