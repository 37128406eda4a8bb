import { ExportRefused, InvalidRequest, NoSpace } from "../../contract/errors/errors.ts"
import { type NextStep, option, words } from "../../contract/errors/next-step.ts"
import { printable } from "../../contract/text/printable.ts"
import { hasGitName, raw } from "../../system/files/folded-name.ts"
import type { PutFailed } from "../../system/files/put.ts"
import { isWindows } from "../../system/settings/this-computer.ts"
import { shown } from "./names.ts"

/** Destination of an export. */
export type HostOutput =
  | { readonly _tag: "stdout" }
  | {
    readonly _tag: "path"
    /** Output as requested. */
    readonly path: string
    /** Existing folder, relative to `within` if that is given. */
    readonly parent: string
    /** Name in the folder. */
    readonly name: string
    /** The requested output ends with `/`, so it must not become a file. */
    readonly asDirectory: boolean
    readonly within?: string | undefined
    /** Raw part of the output's path that the rules judge together with the content's paths. */
    readonly tail: string
  }

/** Number of the output's last components that the rules judge with the content's names: `.vscode/tasks.json` may be split between both. */
const tailComponents = 3

/** A path of Windows with slashes, which Windows takes as well. */
const slashed = (file: string) => isWindows() ? file.replaceAll("\\", "/") : file

/** On Windows a path begins with a drive, or with two slashes and the name of a computer. */
const ABSOLUTE = isWindows() ? /^([A-Za-z]:)?\// : /^\//

/** Whether the part before a slash names a root: nothing, or a drive. */
const isRoot = (folder: string) => folder === "" || (isWindows() && /^[A-Za-z]:$/.test(folder))

/**
 * Reads the output of a request. `within` is a folder (symlinks resolved) that must contain the output. No link may be on the way.
 */
export const hostOutput = (
  asked: string,
  limit: string | undefined
): HostOutput | InvalidRequest | ExportRefused => {
  const [output, within] = [slashed(asked), limit && slashed(limit)]
  const invalid = (detail: string) => new InvalidRequest({ field: "output", detail })
  if (output === "-") return { _tag: "stdout" }
  if (!ABSOLUTE.test(output)) return invalid("must be an absolute path of the host, or -")
  const path = output.replace(/\/+$/, "")
  const slash = path.lastIndexOf("/")
  const name = path.slice(slash + 1)
  if (name === "" || name === "." || name === "..") return invalid("must end in the name of what is written")
  if (Buffer.byteLength(name) > 255) return invalid("its name is too long")
  const refused = (detail: string) => new ExportRefused({ detail, paths: [printable(output)] })
  const asDirectory = output.endsWith("/")
  const rawPath = raw(Buffer.from(path, "utf8"))
  if (hasGitName(rawPath)) return refused("nothing is written in a git directory")
  if (within === undefined) {
    const tail = rawPath.split("/").filter((part) => part !== "").slice(-tailComponents).join("/")
    return {
      _tag: "path",
      path,
      parent: isRoot(path.slice(0, slash)) ? path.slice(0, slash + 1) : path.slice(0, slash),
      name,
      asDirectory,
      tail
    }
  }
  const root = within.replace(/\/+$/, "")
  if (!path.startsWith(`${root}/`)) return refused(`only what is in ${printable(within)} may be written`)
  return {
    _tag: "path",
    path,
    parent: path.slice(root.length + 1, Math.max(slash, root.length + 1)) || ".",
    name,
    asDirectory,
    within: root === "" ? "/" : root,
    tail: raw(Buffer.from(path.slice(root.length + 1), "utf8"))
  }
}

/** Destination of an export, for its failures. */
export interface Target {
  readonly path: string
  readonly isDirectory: boolean
  /** Bytes of all content. */
  readonly bytes: number
}

// Texts of pyro-put (native/put/place.c).
const DIRECTORY_THERE = "a directory is there"
const REPLACEABLE_THERE = "it is there already"

const REPLACE = option("Replace files and links", "overwrite", true)

export const outputIsDirectory = (why: string, path: string) =>
  new ExportRefused({ detail: why, paths: [path], next: [option("Name the file to be written in it", "output")] })

/** Error of an export that wrote nothing. */
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
      detail: `${detail} at ${path}`,
      paths: conflicts.map((one) => `${shown(raw(one.path))}: ${one.reason}`),
      next: remediesOf(conflicts.map(({ reason }) => reason))
    })
  }
  if (output.reason === DIRECTORY_THERE) {
    return outputIsDirectory("the output is a directory, and none is ever replaced", path)
  }
  const isReplaceable = output.reason === REPLACEABLE_THERE
  return new ExportRefused({
    detail: !isReplaceable && isDirectory ? `${output.reason}, and a directory never replaces a file` : output.reason,
    paths: [path],
    next: isReplaceable
      ? [REPLACE]
      : [...isDirectory ? [words("Remove it from the host first")] : [], option("Name another output", "output")]
  })
}

/** What to do about conflicting entries of a directory. */
const remediesOf = (reasons: ReadonlyArray<string>): ReadonlyArray<NextStep> =>
  reasons.every((reason) => reason === REPLACEABLE_THERE) ? [REPLACE] : [
    words("Remove these paths from the host first: a directory replaces no file, and no file a directory"),
    option("Or name another output", "output"),
    ...reasons.includes(REPLACEABLE_THERE) ? [REPLACE] : []
  ]
