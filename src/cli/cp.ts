import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { workspaceExport } from "../contract/rows/workspace-export.ts"
import { workspaceImport } from "../contract/rows/workspace-import.ts"
import { cpCommand } from "./cp-command.ts"
import { decode, parse } from "./parser.ts"
import { isDirectory } from "./terminal-directory.ts"
import { Terminal } from "./terminal.ts"

/** The command line of an operation that does what a `cp` says. */
export interface Copying {
  readonly operation: Operation
  readonly words: ReadonlyArray<string>
  readonly rest: ReadonlyArray<string>
  /** An error of the operation with the words of `cp`. */
  readonly asTyped: (error: InvalidRequest) => InvalidRequest
}

/** A place in a workspace. A path of the host that has a colon is written with a slash: `./a:b`. */
const GUEST = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.*)$/s

const guestOf = (word: string) => {
  const [, workspace = "", inside = ""] = GUEST.exec(word) ?? []
  return workspace === "" ? undefined : { workspace, inside }
}

const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

/** Flags that only one direction has. */
const OUT_ONLY = ["allow_executable_config", "allow_secrets"]
const IN_ONLY = ["allow_home"]
/** Flags that `cp` alone has, or that say what happens anyway. */
const OWN = { in: ["recursive", "overwrite"], out: ["recursive"] }

const dashed = (field: string) => `--${field.replaceAll("_", "-")}`

/** Reads the words of `cp`, and writes those of `workspace export` or `workspace import`. */
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
    const general = [...(json ? ["--json"] : []), ...(quiet ? ["--quiet"] : [])]
    const flags = Object.entries(raw).flatMap(([field, value]) =>
      field === "source" || field === "target" || OWN[direction].includes(field)
        ? []
        : [value === true ? dashed(field) : `${dashed(field)}=${String(value)}`]
    )
    if (from !== undefined) {
      const output = inDirectory(target, resolvePath, from.inside.replace(/\/+$/, "").split("/").at(-1) ?? "")
      // Bytes on their way to a pipe are in no place where a tool would find them.
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

/** Where the copy goes on the host: in a directory that is there, or that a slash at the end says, under its own name. */
const inDirectory = (target: string, resolvePath: (path: string) => string, name: string) =>
  target === "-" || name === "" || name === "." || name === ".." ||
    !(target.endsWith("/") || isDirectory(resolvePath(target)))
    ? target
    : `${target.replace(/\/+$/, "")}/${name}`

const renamed = (fields: Readonly<Record<string, string>>) => (error: InvalidRequest) =>
  new InvalidRequest({ field: fields[error.field] ?? error.field, detail: error.detail })
