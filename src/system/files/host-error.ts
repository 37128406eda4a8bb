import { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { type FileFailed, isDiskFull } from "./failure.ts"

/** What a caller is told of a file that the host refused: a full disk has an error of its own. */
export const toHostError = (failure: FileFailed): NoSpace | StateDirectoryUnusable =>
  toHostErrorOf(failure.path)(failure)

/** The same, with the folder that the caller knows in the place of the file. */
export const toHostErrorOf = (folder: string) => (failure: FileFailed): NoSpace | StateDirectoryUnusable =>
  isDiskFull(failure)
    ? new NoSpace({ where: "state directory", path: folder, neededMib: 1, availableMib: 0 })
    : new StateDirectoryUnusable({ path: folder, detail: failure.detail })
