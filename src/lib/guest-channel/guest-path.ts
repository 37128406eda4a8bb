import { Effect } from "effect"
import { FileRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import { pathBytes, pathText } from "../../contract/text/path-text.ts"

/** Directory of the guest that file operations stay beneath. */
export const workspaceRoot = "/workspace"

/** A tree of the guest that file operations stay beneath. */
export interface GuestTree {
  /** Directory of the guest that is the tree's root. */
  readonly root: string
  /** Path of the root for the workspace's programs, in requests and results. */
  readonly shown: typeof workspaceRoot | "/"
  /** Links lead anywhere in the tree, as for programs whose root it is. Else links that lead out of it are refused. @default false */
  readonly inRoot?: true
  /** Relative paths of requests are beneath /workspace, and results show its files by relative paths. @default false */
  readonly fromWorkspace?: true
}

export const workspaceTree: GuestTree = { root: workspaceRoot, shown: workspaceRoot }

/** All of a running guest. */
export const wholeGuest: GuestTree = { root: "/", shown: "/" }

/** The root of a guest's programs, at this directory: its files by any path. */
export const guestFiles = (root = "/"): GuestTree => ({ root, shown: "/", inRoot: true, fromWorkspace: true })

/** Maximum path length of the guest's kernel, without the NUL. */
const MAX_PATH_BYTES = 4_095

/** A path beneath a tree's root. */
export interface WorkspacePath {
  /** Relative path, `.` for the root itself. Only the guest can resolve its links and its `..`. */
  readonly bytes: Uint8Array
  /** The same for people and JSON: relative to /workspace, or absolute. */
  readonly text: string
}

const invalid = (detail: string) => new InvalidRequest({ field: "path", detail })

/** Components without empty ones and `.`; a `..` after a name stays, since that name may be a link. */
export const componentsOf = (bytes: Uint8Array) =>
  Buffer.from(bytes).toString("latin1").split("/").filter((component) => component !== "" && component !== ".")

const depthsOf = (components: ReadonlyArray<string>) => {
  let depth = 0
  return components.map((component) => component === ".." ? --depth : ++depth)
}

/** Name of /workspace in the guest's root. */
const WORKSPACE = "workspace"

const latin1 = (text: string) => Buffer.from(text, "latin1")
const relativeText = (components: ReadonlyArray<string>) => pathText(latin1(components.join("/") || "."))

/** The path for people and JSON. */
const textOf = (components: ReadonlyArray<string>, { fromWorkspace, shown }: GuestTree) => {
  const inside = components.slice(1)
  if (fromWorkspace === true && components[0] === WORKSPACE && depthsOf(inside).every((depth) => depth >= 0)) {
    return relativeText(inside)
  }
  return shown === "/" ? pathText(latin1(`/${components.join("/")}`)) : relativeText(components)
}

/** A path of raw components beneath a tree's root. */
export const pathOf = (components: ReadonlyArray<string>, tree: GuestTree = workspaceTree): WorkspacePath => ({
  bytes: latin1(components.join("/") || "."),
  text: textOf(components, tree)
})

/**
 * Reads a requested path: relative to the tree's root (or to /workspace), or absolute and beneath it. Refuses malformed paths, and
 * paths whose `..` lead out of a tree that is not the guest's root. The guest refuses links that lead out of such a tree.
 */
export const workspacePath = (
  text: string,
  tree: GuestTree = workspaceTree
): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> =>
  Effect.suspend((): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> => {
    if (text === "") return invalid("must not be empty")
    if (/\p{Surrogate}/u.test(text)) return invalid("must be well-formed Unicode")
    const bytes = pathBytes(text)
    if (bytes === undefined) return invalid("begins with a quote, but is no path in git's quoted form")
    if (bytes.includes(0)) return invalid("must not contain a NUL byte")
    if (bytes.length > MAX_PATH_BYTES) return invalid(`must be at most ${MAX_PATH_BYTES} bytes`)
    const absolute = bytes[0] === 0x2f
    const all = componentsOf(bytes)
    if (tree.fromWorkspace === true) return Effect.succeed(pathOf(absolute ? all : [WORKSPACE, ...all], tree))
    const above = componentsOf(Buffer.from(tree.shown))
    const components = absolute ? all.slice(above.length) : all
    if ((absolute && above.some((name, at) => all[at] !== name)) || depthsOf(components).some((depth) => depth < 0)) {
      return new FileRefused({ path: pathText(bytes), reason: "outside", detail: `is not beneath ${tree.shown}` })
    }
    return Effect.succeed(pathOf(components, tree))
  })

/** The same of a path that has to name a file. */
export const workspaceFile = (text: string, tree: GuestTree = workspaceTree) =>
  Effect.filterOrFail(
    workspacePath(text, tree),
    ({ bytes }) => !text.endsWith("/") && !/(^|\/)\.{1,2}$/.test(Buffer.from(bytes).toString("latin1")),
    ({ text }) => new FileRefused({ path: text, reason: "is_a_directory", detail: "names a directory, not a file" })
  )
