import { Effect } from "effect"
import { InvalidRequest, ofField } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { workspaceExport } from "../contract/rows/workspace-export.ts"
import { workspaceImport } from "../contract/rows/workspace-import.ts"
import { isWindows } from "../system/settings/this-computer.ts"
import { decode, parse } from "./arguments/parser.ts"
import { cpCommand } from "./rows/rows.ts"
import { endsWithSeparator, isDirectory } from "./terminal/files.ts"
import { Terminal } from "./terminal/Terminal.ts"

/** The command line of the operation that does a `cp`. */
interface Copying {
  readonly operation: Operation
  readonly words: ReadonlyArray<string>
  readonly rest: ReadonlyArray<string>
  /** An error of the operation with the words of `cp`. */
  readonly asTyped: (error: InvalidRequest) => InvalidRequest
}

/** A place in a workspace. A host path with a colon needs a slash: `./a:b`. */
const GUEST = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.*)$/s

/** A path of Windows with its drive. */
const DRIVE = /^[A-Za-z]:[\\/]/

const guestOf = (word: string) => {
  if (isWindows() && DRIVE.test(word)) return undefined
  const [, workspace = "", inside = ""] = GUEST.exec(word) ?? []
  return workspace === "" ? undefined : { workspace, inside }
}

const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

/** Flags of only one direction. */
const OUT_ONLY = ["allow_executable_config", "allow_secrets"]
const IN_ONLY = ["allow_home"]
/** Flags that only `cp` has, or that do not change this direction. */
const OWN = { in: ["recursive", "overwrite"], out: ["recursive"] }

const dashed = (field: string) => `--${field.replaceAll("_", "-")}`

/** Translates the words of `cp` into those of `workspace export` or `workspace import`. */
export const copying = (
  typed: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<Copying, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const { resolvePath } = yield* Terminal
    const { json, quiet, raw } = yield* parse(cpCommand, typed, rest)
    const { source, target } = yield* decode(cpCommand.cli, cpCommand.payload(), raw)
    const [from, to] = [guestOf(source), guestOf(target)]
    if (from !== undefined && to !== undefined) {
      return yield* wrong(
        "cp copies between the host and one workspace. Copy to the host first, or fork the workspace: pyro fork"
      )
    }
    const direction = from === undefined ? "in" : "out"
    const foreign = (direction === "in" ? OUT_ONLY : IN_ONLY).find((field) => field in raw)
    if (foreign !== undefined) {
      return yield* new InvalidRequest({
        field: dashed(foreign),
        detail: `is about copies ${direction === "in" ? "to the host" : "to a workspace"}`
      })
    }
    // As docker cp.
    const general = ["--preserve-times", ...(json ? ["--json"] : []), ...(quiet ? ["--quiet"] : [])]
    const flags = Object.entries(raw).flatMap(([field, value]) =>
      field === "source" || field === "target" || OWN[direction].includes(field)
        ? []
        : [value === true ? dashed(field) : `${dashed(field)}=${String(value)}`]
    )
    if (from !== undefined) {
      const output = inDirectory(target, resolvePath, from.inside.replace(/\/+$/, "").split("/").at(-1) ?? "")
      // Bytes in a pipe are not in a file that a tool would load.
      const piped = output === "-" && !("allow_executable_config" in raw) ? ["--allow-executable-config"] : []
      return {
        operation: workspaceExport,
        words: [...general, ...flags, ...piped, `--output=${output}`],
        rest: [from.workspace, from.inside === "" ? "." : from.inside],
        asTyped: renamed({ "--output": "<target>", "<path>": "<source>" })
      }
    }
    if (to === undefined) {
      return yield* wrong("one of the two is WORKSPACE:PATH, such as fix:/etc/app.conf or fix:notes.md")
    }
    return {
      operation: workspaceImport,
      words: [...general, ...flags],
      rest: [to.workspace, source, to.inside === "" ? "/workspace" : to.inside],
      asTyped: renamed({ "<source_path>": "<source>", "<path>": "<target>" })
    }
  })

/** The path of the copy on the host: under its own name in an existing directory, or in one with a slash at the end. */
const inDirectory = (target: string, resolvePath: (path: string) => string, name: string) =>
  target === "-" || name === "" || name === "." || name === ".." ||
    !(endsWithSeparator(target) || isDirectory(resolvePath(target)))
    ? target
    : `${endsWithSeparator(target) ? target : `${target}/`}${name}`

const renamed = (fields: Readonly<Record<string, string>>) => (error: InvalidRequest) =>
  ofField(error, fields[error.field] ?? error.field)
