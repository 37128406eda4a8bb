import { ExportRefused, NoSpace } from "../../../contract/errors/errors.ts"
import { raw } from "../../../system/files/folded-name.ts"
import type { PutFailed } from "../../../system/files/put.ts"
import { shown } from "./guest-path.ts"

/** Destination of an export, for its failures. */
export interface Target {
  readonly path: string
  readonly isDirectory: boolean
  /** Bytes of all content. */
  readonly bytes: number
}

// Said by pyro-put (native/put/place.c).
const DIRECTORY_THERE = "a directory is there"
const REPLACEABLE_THERE = "it is there already"

export const outputIsDirectory = (why: string, path: string) =>
  new ExportRefused({ detail: `${why}; name the file to be written in it`, paths: [path] })

/** Why an export wrote nothing. */
export const failureOf = (target: Target, failure: PutFailed): ExportRefused | NoSpace => {
  const { bytes, path } = target
  if (failure.reason === "conflict") return conflictOf(target, failure)
  if (failure.reason === "failed") return new ExportRefused({ detail: failure.detail, paths: [path] })
  const mib = 1024 * 1024
  const { free = 0, needed = bytes } = failure
  return new NoSpace({
    where: "file system of the output",
    path,
    neededMib: Math.ceil(needed / mib),
    availableMib: Math.floor(free / mib)
  })
}

const conflictOf = ({ isDirectory, path }: Target, { conflicts, detail }: PutFailed): ExportRefused => {
  const output = conflicts.find((one) => one.path.length === 0)
  if (output === undefined) {
    return new ExportRefused({
      detail: `${detail} at ${path}; ${remedyOf(conflicts.map(({ reason }) => reason))}`,
      paths: conflicts.map((one) => `${shown(raw(one.path))}: ${one.reason}`)
    })
  }
  if (output.reason === DIRECTORY_THERE) {
    return outputIsDirectory("the output is a directory, and none is ever replaced", path)
  }
  const next = output.reason === REPLACEABLE_THERE
    ? "files and links are replaced with --overwrite"
    : isDirectory
    ? "a directory replaces no file, also with --overwrite; remove it from the host first, or name another output"
    : "name another output"
  return new ExportRefused({ detail: `${output.reason}; ${next}`, paths: [path] })
}

/** The way on for entries of a directory. */
const remedyOf = (reasons: ReadonlyArray<string>) =>
  reasons.every((reason) => reason === REPLACEABLE_THERE)
    ? "files and links are replaced with --overwrite"
    : `${
      reasons.includes(REPLACEABLE_THERE) ? "other " : ""
    }files and links are replaced with --overwrite, but a directory replaces no file, and no file a directory; ` +
      "remove these paths from the host first, or name another output"
