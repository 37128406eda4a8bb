import { Effect } from "effect"
import { FileRefused, InvalidRequest } from "../../contract/errors.ts"
import { pathBytes, pathText } from "../../disk/path-text.ts"

/** Directory of the guest that file operations stay beneath. */
export const workspaceRoot = "/workspace"

/** Maximum path length of the guest's kernel, without the NUL. */
const MAX_PATH_BYTES = 4_095

/** A path beneath /workspace. */
export interface WorkspacePath {
  /** Relative path, `.` for /workspace itself. Only the guest can resolve its links and its `..`. */
  readonly bytes: Uint8Array
  /** The same for people and JSON. */
  readonly text: string
}

const invalid = (detail: string) => new InvalidRequest({ field: "path", detail })

/** Components without empty ones and `.`; a `..` behind a name stays, since that name may be a link. */
const componentsOf = (bytes: Uint8Array) =>
  Buffer.from(bytes).toString("latin1").split("/").filter((component) => component !== "" && component !== ".")

const depthsOf = (components: ReadonlyArray<string>) => {
  let depth = 0
  return components.map((component) => component === ".." ? --depth : ++depth)
}

/**
 * Reads a requested path: relative to /workspace, or absolute and beneath it. Refuses malformed paths, and paths whose `..` lead
 * out of /workspace. The guest refuses links that lead out.
 */
export const workspacePath = (text: string): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> =>
  Effect.suspend((): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> => {
    if (text === "") return invalid("must not be empty")
    if (/\p{Surrogate}/u.test(text)) return invalid("must be well-formed Unicode")
    const bytes = pathBytes(text)
    if (bytes === undefined) return invalid("begins with a quote, but is no path in git's quoted form")
    if (bytes.includes(0)) return invalid("must not contain a NUL byte")
    if (bytes.length > MAX_PATH_BYTES) return invalid(`must be at most ${MAX_PATH_BYTES} bytes`)
    const absolute = bytes[0] === 0x2f
    const all = componentsOf(bytes)
    const components = absolute ? all.slice(1) : all
    if ((absolute && all[0] !== workspaceRoot.slice(1)) || depthsOf(components).some((depth) => depth < 0)) {
      return new FileRefused({ path: pathText(bytes), reason: "outside", detail: `is not beneath ${workspaceRoot}` })
    }
    const kept = Buffer.from(components.length === 0 ? "." : components.join("/"), "latin1")
    return Effect.succeed({ bytes: kept, text: pathText(kept) })
  })

/** The same of a path that has to name a file. */
export const workspaceFile = (text: string) =>
  Effect.filterOrFail(
    workspacePath(text),
    ({ bytes }) => !text.endsWith("/") && !/(^|\/)\.{1,2}$/.test(Buffer.from(bytes).toString("latin1")),
    ({ text }) => new FileRefused({ path: text, reason: "not_a_file", detail: "names a directory, not a file" })
  )
