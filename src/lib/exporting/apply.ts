import { Effect, Stream } from "effect"
import { ExportRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import { call, option, words } from "../../contract/errors/next-step.ts"
import { allowing } from "../../contract/rows/larger.ts"
import type { ExportedEntry, ExportEvent, ExportPayload, ExportSummary } from "../../contract/rows/workspace-export.ts"
import { count } from "../../contract/text/count.ts"
import { executableConfig, type ExecutablePaths, executablePaths } from "../../contract/text/executable-config.ts"
import { GIT_EXECUTABLE, GIT_LINK } from "../../contract/text/git-mode.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { applyChanges } from "../../system/files/apply.ts"
import { sha256Hex } from "../../system/files/digest.ts"
import { bytesOf, hasGitName, raw } from "../../system/files/folded-name.ts"
import { realDirectory } from "../../system/files/host-path.ts"
import type { PutFailed } from "../../system/files/put.ts"
import type { Change, Side } from "../patch/model/patch.ts"
import type { ExportBounds } from "./bounds.ts"
import { type DeliveryFailed, type Emit, emitting, MAX_BATCH } from "./deliver.ts"
import { executableRefusal, remarksOf } from "./executable-config.ts"
import { failureOf, type HostOutput, hostOutput } from "./host-output.ts"
import { LinkBudget, linkProblem } from "./links.ts"
import { shown } from "./names.ts"
import { demandExpected, demandPatchable } from "./patch.ts"
import { demandHoldable } from "./this-computer.ts"
import { demandSize, LESS } from "./tree.ts"

/** A change of one path. A rename is a removal and an addition. */
interface FileChange {
  /** Raw. */
  readonly path: string
  readonly before: Side | undefined
  readonly after: Side | undefined
}

const ofOnePath = ({ after, before, from, path }: Change): ReadonlyArray<FileChange> =>
  from === undefined
    ? [{ path: raw(path), before, after }]
    : [{ path: raw(from), before, after: undefined }, { path: raw(path), before: undefined, after }]

/** The files that some changes touch, each with its contents before and after. */
export const filesOf = (changes: ReadonlyArray<Change>): ReadonlyArray<FileChange> => changes.flatMap(ofOnePath)

/**
 * Makes the changes in the files of a directory of the host, all or none. A file there must be as it was before the change, or as the
 * change has it. `digest` is the digest of the diff, which must be the expected one.
 */
export const exportChanges = (
  changes: ReadonlyArray<Change>,
  digest: string,
  payload: ExportPayload,
  bounds: ExportBounds
): Stream.Stream<ExportEvent, DeliveryFailed | InvalidRequest> =>
  Stream.unwrap(Effect.gen(function*() {
    const output = yield* existingDirectory(payload, bounds)
    yield* demandExpected(digest, payload)
    yield* demandPatchable(changes)
    const files = filesOf(changes)
    if (files.length > payload.maxEntries) {
      return yield* new ExportRefused({
        detail: `the diff has ${count(files.length, "file")}, more than ${payload.maxEntries}`,
        paths: [],
        next: [allowing(LESS, "max_entries", files.length)]
      })
    }
    yield* demandSize(
      files.map(({ after, path }) => ({ path, type: "file", mode: 0o644, size: after?.content.length ?? 0 })),
      payload
    )
    yield* demandLinksInside(files)
    yield* demandHoldable(
      files.flatMap(({ after, path }) =>
        after === undefined ? [] : [{ path, type: after.mode === GIT_LINK ? "symlink" : "file" }]
      )
    )
    const executable = executableOf(files, output.tail)
    if (executable.size > 0 && !payload.allowExecutableConfig) return yield* executableRefusal(executable)
    return emitting((emit: Emit) => work({ changes, digest, executable, files, output, payload, bounds }, emit))
  }))

type PathOutput = Extract<HostOutput, { readonly _tag: "path" }>

/** The directory whose files change. Links above it are followed only for a caller that may name any path. */
const existingDirectory = ({ output: asked = "" }: ExportPayload, { within }: ExportBounds) =>
  Effect.suspend((): Effect.Effect<PathOutput, ExportRefused | InvalidRequest> => {
    const directory = within === undefined && asked.startsWith("/") ? realDirectory(asked) : asked
    if (directory === undefined) {
      return new InvalidRequest({
        field: "output",
        detail: "is no directory of the host, whose files could be changed"
      })
    }
    const output = hostOutput(directory, within)
    return output._tag === "path"
      ? Effect.succeed(output)
      : output._tag === "stdout"
      ? new InvalidRequest({ field: "output", detail: "must be a directory, because its files are to be changed" })
      : output
  })

/** Reasons by the raw path, also for a path that the rules know only together with its directory. */
const executableOf = (files: ReadonlyArray<FileChange>, tail: string): ExecutablePaths => {
  const paths = files.map(({ path }) => path)
  const inDirectory = paths.flatMap((path) => {
    const reason = executableConfig(`${tail}/${path}`)
    return reason === undefined ? [] : [[path, reason] as const]
  })
  return new Map([...executablePaths(paths), ...inDirectory])
}

/** Fails for a link that leads out of the directory, or into a git directory. The directory may have more files than the diff. */
const demandLinksInside = (files: ReadonlyArray<FileChange>): Effect.Effect<void, ExportRefused> => {
  const links = files.flatMap(({ after, path }) =>
    after?.mode === GIT_LINK ? [[path, { type: "symlink", target: raw(after.content) }] as const] : []
  )
  const known = new Map<string, { readonly type: string; readonly target?: string }>(links)
  const tree = { get: (path: string) => known.get(path) ?? { type: "directory" } }
  const budget = new LinkBudget()
  const bad = links.flatMap(([path, { target }]) => {
    const problem = hasGitName(target)
      ? "it is a link into a git directory"
      : linkProblem(tree, path, target, budget)
    return problem === undefined ? [] : [`${shown(path)}: ${problem}`]
  })
  return bad.length === 0 ? Effect.void : new ExportRefused({
    detail: "links that lead elsewhere are not made",
    paths: bad.slice(0, 10),
    next: [option("Leave them out", "exclude"), option("Or export the patch", "patch", true)]
  })
}

interface Applying {
  readonly changes: ReadonlyArray<Change>
  readonly files: ReadonlyArray<FileChange>
  readonly digest: string
  readonly executable: ExecutablePaths
  readonly output: PathOutput
  readonly payload: ExportPayload
  readonly bounds: ExportBounds
}

const work = ({ bounds, changes, digest, executable, files, output, payload }: Applying, emit: Emit) =>
  Effect.gen(function*() {
    const { name, parent, path: directory, within } = output
    const applying = yield* applyChanges({
      directory: within === undefined ? directory : parent === "." ? name : `${parent}/${name}`,
      within,
      check: payload.check,
      changes: files.map((file) => ({ ...file, path: bytesOf(file.path) }))
    })
    const there = new Set(applying.there.map(raw))
    const due = files.filter(({ path }) => !there.has(path))
    const bytes = due.reduce((sum, { after }) => sum + (after?.content.length ?? 0), 0)
    const written = due.filter(({ after }) => after !== undefined)
    // All files are as expected, and the changes are final, so that the user's answer is about them.
    if (bounds.consent !== undefined && !payload.check) {
      yield* bounds.consent(
        { kind: "changes", output: directory, files: written.length, changedFiles: changes.length, bytes, digest },
        emit
      )
    }
    const { moveBaseline } = bounds
    const baselineMoved = moveBaseline === undefined || payload.check
      ? yield* Effect.as(applying.commit, false)
      : yield* moveBaseline(files, applying.commit)
    const manifest = due.map((file) => entryOf(file, executable))
    for (let at = 0; at < manifest.length; at += MAX_BATCH) {
      yield* emit({ _tag: "Written", entries: manifest.slice(at, at + MAX_BATCH) })
    }
    const links = written.filter(({ after }) => after?.mode === GIT_LINK).length
    const summary: ExportSummary = {
      output: directory,
      kind: "changes",
      files: written.length - links,
      changedFiles: changes.length,
      removedFiles: due.length - written.length,
      equalFiles: there.size,
      ...(payload.check ? { checked: true } : { baselineMoved }),
      directories: 0,
      symlinks: links,
      bytes,
      digest,
      skippedCount: 0,
      skipped: [],
      executableConfig: remarksOf(executable),
      warnings: []
    }
    yield* emit({ _tag: "Exported", summary })
  }).pipe(Effect.catchTag("PutFailed", (failure) => Effect.fail(refusalOf(output.path, files, failure))))

const entryOf = ({ after, before, path }: FileChange, executable: ExecutablePaths): ExportedEntry => {
  const { content, mode } = after ?? before!
  const isLink = mode === GIT_LINK
  const reason = executable.get(path)
  return {
    path: shown(path),
    type: isLink ? "symlink" : "file",
    mode: isLink ? "0777" : mode === GIT_EXECUTABLE ? "0755" : "0644",
    size: isLink || after === undefined ? 0 : content.length,
    ...(isLink || after === undefined ? {} : { sha256: sha256Hex(content) }),
    ...(isLink && after !== undefined ? { target: shown(raw(content)) } : {}),
    ...(after === undefined ? { removed: true } : before === undefined ? {} : { replaced: true }),
    ...(reason === undefined ? {} : { executableConfig: reason })
  }
}

/** Whether the directory seems to be another project: no changed file fits, and one of them is not there. */
const isElsewhere = (files: ReadonlyArray<FileChange>, { conflicts }: PutFailed) => {
  const why = new Map(conflicts.map(({ path, reason }) => [raw(path), reason]))
  const changed = files.filter(({ before }) => before !== undefined).slice(0, conflicts.length)
  return changed.length > 0 && changed.every(({ path }) => why.has(path)) &&
    changed.some(({ path }) => why.get(path) === "it is gone")
}

const refusalOf = (directory: string, files: ReadonlyArray<FileChange>, failure: PutFailed) => {
  if (failure.reason !== "conflict") {
    const bytes = files.reduce((sum, { after }) => sum + (after?.content.length ?? 0), 0)
    return failureOf({ path: directory, isDirectory: true, bytes }, failure)
  }
  return new ExportRefused({
    detail: `files have changed on the host, and a change would lose yours; ${failure.detail} in ${directory}`,
    paths: failure.conflicts.map(({ path, reason }) => `${pathText(path)}: ${reason}`),
    next: isElsewhere(files, failure)
      ? [
        words("No file of the diff is there as the workspace was seeded: is this the directory of its project?"),
        option("Name it", "output")
      ]
      : [
        option("Leave them out", "exclude"),
        call("Or take yours into the workspace", "workspace.sync.push", { source_path: directory, force: true }),
        option("Or replace yours: in place of apply", "overwrite", true)
      ]
  })
}
