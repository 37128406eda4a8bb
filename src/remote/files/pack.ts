import { Effect, type Scope } from "effect"
import * as os from "node:os"
import * as path from "node:path"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { NO_GIT_ENTRY } from "../../contract/text/host-file-notes.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { spoolPath } from "../../contract/wire/spool.ts"
import { rejected } from "../../lib/seeding/model/git-failed.ts"
import { filesBeneath } from "../../lib/seeding/model/host-files.ts"
import type { PackedFacts } from "../../lib/seeding/model/packed.ts"
import type { BuildDirectory, GitMode } from "../../lib/seeding/model/source.ts"
import { packSource } from "../../lib/seeding/pack.ts"
import { exists, makeUniqueFolder } from "../../system/files/entries.ts"
import { toHostError } from "../../system/files/failure.ts"
import { realPath } from "../../system/files/host-path.ts"
import { type Paths } from "../../system/files/Paths.ts"
import { removeTree } from "../../system/files/remove-tree.ts"
import { runTool } from "../../system/processes/child.ts"
import { findProgram, isRoot } from "../../system/processes/host.ts"
import { isLinux } from "../../system/settings/this-computer.ts"
import { fileTree, type Part, type Tree, treeOf } from "./entries.ts"
import { nameOfProject } from "./project.ts"
import { send } from "./send.ts"

/** Whether git can be confined here. */
const canConfine = Effect.suspend(() =>
  !isLinux() || findProgram("bwrap") === undefined
    ? Effect.succeed(false)
    : Effect.isSuccess(
      runTool("bwrap", [...(isRoot() ? [] : ["--unshare-user"]), "--unshare-pid", "--ro-bind", "/", "/", "--", "true"])
    )
)

/** A folder for the repositories that go along. */
const makeBuild: Effect.Effect<BuildDirectory, PyroError, Scope.Scope> = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.mapError(makeUniqueFolder(path.join(realPath(os.tmpdir()) ?? os.tmpdir(), "pyro-pack-")), toHostError),
    (made) => Effect.ignore(removeTree(made))
  )
  return { folder, namespaces: yield* canConfine }
})

/** A source to send, as the request names it. */
interface Asked {
  readonly field: "seed_path" | "source_path"
  readonly path: string
  readonly git: GitMode
  readonly includeIgnored: ReadonlyArray<string>
  readonly allowHome: boolean
  /** Files beneath the directory that go along in any case, if they are there. @default none */
  readonly also?: ReadonlyArray<string>
}

/** The files of this machine under the name that the other one has for them. */
export interface Sent {
  /** Text for the field of the request. */
  readonly spool: string
  /** Real path of the source. */
  readonly source: string
  /** Paths that are not sent, and why. @default they are part of what is said about the source */
  readonly left?: Tree["left"]
}

const withAlso = (paths: ReadonlyArray<Buffer>, root: string, also: ReadonlyArray<string>) => [
  ...paths,
  ...also.filter((name) => exists(path.join(root, name)))
    .map((name) => Buffer.from(name))
]

/** Chooses the files of a directory, an archive or a repository as on one machine, and sends them. */
export const sendSource = (pyro: PyroService, asked: Asked): Effect.Effect<Sent, PyroError, Paths> =>
  Effect.scoped(Effect.gen(function*() {
    const build = yield* makeBuild
    const { facts, grafts, paths, root } = yield* packSource({ ...asked, build }).pipe(rejected(asked.path))
    if (paths === undefined) {
      return { spool: spoolPath(yield* send(pyro, yield* fileTree(root), { path: root })), source: root }
    }
    const others = yield* Effect.forEach(
      grafts,
      ({ at, directory }) =>
        Effect.map(filesBeneath(Buffer.from(directory), directory), (found): Part => ({
          at: Buffer.from(at).toString("latin1"),
          root: directory,
          paths: found
        }))
    )
    const tree = yield* treeOf([{ at: "", root, paths: withAlso(paths, root, asked.also ?? []) }, ...others])
    const whole: PackedFacts | undefined = facts === undefined ? undefined : {
      ...facts,
      skipped: [...facts.skipped, ...tree.left],
      project: yield* nameOfProject(root),
      name: path.basename(root) || "root"
    }
    return { spool: spoolPath(yield* send(pyro, tree, { facts: whole, path: root })), source: root }
  }))

/** The same entries within a directory, which gives the source its name. */
const within = (name: string, tree: Tree): Tree => ({
  entries: [
    ["d", "", 0o755, 0],
    ...tree.entries.map((entry) => {
      const [type, below, ...rest] = entry
      return [type, below === "" ? name : `${name}/${below}`, ...rest] as unknown as typeof entry
    })
  ],
  placeOf: (entry) => tree.placeOf(entry - 1),
  contents: new Map([...tree.contents].map(([at, content]) => [at + 1, content])),
  left: tree.left
})

/** Sends one file of this machine, under its own name. */
export const sendFile = (pyro: PyroService, file: string): Effect.Effect<Sent, PyroError> =>
  Effect.gen(function*() {
    const name = path.basename(file)
    const tree = within(Buffer.from(name).toString("latin1"), yield* fileTree(file))
    return { spool: `${spoolPath(yield* send(pyro, tree, { path: file }))}/${name}`, source: file }
  })

/** Sends a directory of this machine, under its own name: all that is beneath it, without entries named `.git`. */
export const sendDirectory = (
  pyro: PyroService,
  directory: string
): Effect.Effect<Sent, PyroError> =>
  Effect.gen(function*() {
    const gits: Array<Buffer> = []
    const paths = yield* filesBeneath(Buffer.from(directory), directory, gits)
    const inner = yield* treeOf([{ at: "", root: directory, paths }])
    const name = path.basename(directory) || "root"
    const tree = within(Buffer.from(name).toString("latin1"), inner)
    const spool = `${spoolPath(yield* send(pyro, tree, { path: directory }))}/${name}`
    const ofGit = gits.map((git) => ({ path: pathText(git), reason: NO_GIT_ENTRY }))
    return { spool, source: directory, left: [...inner.left, ...ofGit] }
  })
