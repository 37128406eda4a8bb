import { Effect, Schema } from "effect"
import { MAX_READ_BYTES } from "../contract/rows/file-fields.ts"
import type { DiffFile, DiffResult } from "../contract/rows/workspace-diff.ts"
import type { DiskContent } from "../contract/rows/workspace-disk.ts"
import { WorkspaceName } from "../contract/rows/workspace-field.ts"
import type { FileList, FileReadPayload } from "../contract/rows/workspace-file.ts"
import type { PatchApplied } from "../contract/rows/workspace-patch.ts"
import { ignoredFilesNote, missingOnHostNote } from "../contract/text/host-file-notes.ts"
import { typed } from "../contract/text/printable.ts"
import { colouredPatch, statText, statusLine } from "./diff-text.ts"
import { withStdin } from "./import-stdin.ts"
import { OutputOptions } from "./output-options.ts"
import { endLine, note, print, printContent, printPiece, size, warn } from "./print.ts"
import { painted, printTable } from "./table.ts"
import { Terminal } from "./terminal.ts"
import type { View } from "./view.ts"

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`

/** Paths that were treated otherwise, the first 20, and how many more. */
const remarks = (
  what: string,
  all: ReadonlyArray<{ readonly path: string; readonly reason: string }>,
  total: number
) =>
  Effect.gen(function*() {
    for (const { path, reason } of all.slice(0, 20)) yield* note(`pyro: ${what}: ${path} (${reason})\n`)
    if (total > 20) yield* note(`pyro: ${what}: ${total - Math.min(20, all.length)} more\n`)
  })

interface DifferenceWords {
  /** Printed if there are no changes. Undefined if no requested path exists. */
  readonly none: string | undefined
  /** What does not have a missing path. */
  readonly sides: string
  /** Further words about a missing path. */
  readonly instead?: (path: string) => string | undefined
  /** The workspace that has a file now; undefined when no export could have it. */
  readonly having: (file: DiffFile) => string | undefined
  readonly whole: string
}

/** Command that exports one of the files that are too large. */
const exportOfOne = (files: ReadonlyArray<DiffFile>, having: DifferenceWords["having"]) => {
  for (const file of files) {
    const workspace = having(file)
    // A path with a dash in front would be read as an option.
    const path = file.path.startsWith("-") ? `./${file.path}` : file.path
    if (workspace !== undefined) {
      return `, export one: pyro export ${typed([workspace, path])} --output FILE`
    }
  }
  return ""
}

const specialText = (special: number) =>
  special === 1
    ? "1 special file (pipe, socket or device) is left out"
    : `${special} special files (pipes, sockets or devices) are left out`

/** Prints a diff or a comparison, with their own words for left-out parts. */
const differences = (diff: DiffResult, words: DifferenceWords) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    if (diff.patch !== undefined) {
      yield* terminal.colour ? terminal.writeStdout(colouredPatch(diff.patch)) : printContent(diff.patch)
      yield* endLine(diff.patch)
    } else if (diff.summary.additions === undefined) {
      const { switches } = yield* OutputOptions
      yield* print(diff.files.map(switches.has("name-status") ? statusLine : ({ path }) => `${path}\n`).join(""))
    } else {
      const { cols } = yield* terminal.size
      yield* terminal.writeStdout(yield* statText(diff, { width: cols, colour: terminal.colour }))
    }
    if (diff.summary.files === 0 && words.none !== undefined) yield* note(`${words.none}\n`)
    for (const path of (diff.missingPaths ?? []).slice(0, 20)) {
      const instead = words.instead?.(path)
      yield* warn(`pyro: no such path in ${words.sides}: ${path}${instead === undefined ? "" : `. ${instead}`}\n`)
    }
    const unnamed = (diff.missingPaths?.length ?? 0) - 20
    if (unnamed > 0) yield* warn(`pyro: no such path in ${words.sides}: ${unnamed} more\n`)
    if (diff.ignoredCount > 0) {
      yield* note(`${count(diff.ignoredCount, "ignored file")} left out; show them with --include-ignored\n`)
    }
    if (diff.specialCount > 0) yield* note(`${specialText(diff.specialCount)}\n`)
    if (diff.unlisted > 0 && diff.patch === undefined) yield* warn(`pyro: ${count(diff.unlisted, "file")} more\n`)
    if (diff.tooLargeCount !== undefined) {
      const tooLarge = diff.files.filter(({ tooLarge }) => tooLarge)
      const named = tooLarge.slice(0, 5).map(({ path }) => path)
      const names = [...named, ...(diff.tooLargeCount > named.length ? ["..."] : [])].join(", ")
      yield* warn(
        `pyro: ${count(diff.tooLargeCount, "file")} too large to compare and in no patch (${names}); ` +
          `show their sizes with --stat${exportOfOne(tooLarge, words.having)}\n`
      )
    }
    if (diff.mountedCount !== undefined) {
      const paths = diff.files.flatMap(({ path, status }) => status === "mounted" ? [path] : [])
      const names = [...paths.slice(0, 5), ...(diff.mountedCount > 5 ? ["..."] : [])].join(", ")
      yield* warn(
        `pyro: the diff is incomplete: something is mounted over ${count(diff.mountedCount, "path")} (${names}); ` +
          `unmount, or stop the workspace, and compare again\n`
      )
    }
    if (diff.truncated === true || diff.lossy === true) {
      const why = diff.truncated === true ? "is cut" : "has replaced bytes that are not UTF-8"
      yield* warn(`pyro: the patch ${why}; ${words.whole}\n`)
    }
  })

/** What a diff without changes says. */
const noneIn = (paths: ReadonlyArray<string>, { missingPaths = [] }: DiffResult, verb: string) =>
  paths.length === 0
    ? `nothing ${verb}`
    : missingPaths.length === 0
    ? `nothing ${verb} in these paths`
    : missingPaths.length < paths.length
    ? `nothing ${verb} in the other paths`
    : undefined

/** An incomplete patch may be input: `pyro diff > FILE && git apply FILE`. A mount hides changes in every form of a diff, and a path that does not exist has none. */
const wholeOrNot = ({ lossy, missingPaths, mountedCount, patch, tooLargeCount, truncated }: DiffResult) =>
  mountedCount !== undefined || missingPaths !== undefined ||
    (patch !== undefined && (truncated === true || lossy === true || tooLargeCount !== undefined))
    ? 1
    : 0

/** Where a hunk fits that is not where, or not exactly what, the patch says. */
const noteText = ({ hunk, loose, offsetLines, path }: PatchApplied["notes"][number]) => {
  const away = offsetLines === 0
    ? ""
    : ` ${count(Math.abs(offsetLines), "line")} further ${offsetLines < 0 ? "up" : "down"}`
  return `pyro: note: ${path} hunk ${hunk} fits${away}${loose ? " if white space is ignored" : ""}\n`
}

/** Note about a cut line. */
const cutLineText = (line: number, next: number | undefined, maxBytes: number, copy: string) => {
  const larger = maxBytes < MAX_READ_BYTES ? `raise --max-bytes (at most ${MAX_READ_BYTES}), or ` : ""
  const further = next === undefined ? "" : `; continue with --start-line ${next}`
  return `pyro: line ${line} is longer than ${maxBytes} bytes and cut; ${larger}${copy}${further}\n`
}

const listing = ({ entries, truncated }: FileList) =>
  Effect.andThen(
    printTable(entries.map((entry) => [
      entry.mode,
      entry.type === "directory" ? "-" : size(entry.sizeBytes),
      entry.type === "directory" ? painted("cyan", `${entry.path}/`) : entry.path,
      entry.target === undefined ? "" : `-> ${entry.target}`
    ])),
    truncated ? warn("pyro: there is more; raise --limit, or list a subdirectory\n") : Effect.void
  )

/** Prints lines of a text file; `copy` names the command that gets all of its bytes. */
const lines = (
  file: DiskContent,
  { maxBytes, startLine }: Pick<FileReadPayload, "maxBytes" | "startLine">,
  { copy, orStdout = "" }: { readonly copy: string; readonly orStdout?: string }
) =>
  file.binary
    ? warn(`pyro: ${file.path} is binary, ${size(file.sizeBytes)}; ${copy}${orStdout}\n`)
    : Effect.andThen(
      printContent(file.text ?? ""),
      file.cutLine !== undefined
        ? Effect.andThen(endLine(file.text ?? ""), warn(cutLineText(file.cutLine, file.nextLine, maxBytes, copy)))
        : file.nextLine !== undefined
        ? warn(`pyro: there is more; continue with --start-line ${file.nextLine}\n`)
        : startLine > 1 && file.totalLines !== undefined && startLine > file.totalLines
        ? note(`pyro: nothing from line ${startLine} on; ${file.path} has ${count(file.totalLines, "line")}\n`)
        : Effect.void
    )

// A redirection would otherwise leave an empty file with status 0.
const binaryStatus = ({ binary }: { readonly binary: boolean }) => binary ? 1 : 0

export const contentViews = {
  "workspace.file.list": { result: listing } satisfies View<"workspace.file.list">,
  "workspace.file.read": {
    result: (file, payload) =>
      lines(file, payload, { copy: "copy the file with --output PATH", orStdout: ", or - for stdout" }),
    exitStatus: binaryStatus
  } satisfies View<"workspace.file.read">,
  "workspace.disk.list": { result: listing } satisfies View<"workspace.disk.list">,
  "workspace.disk.read": {
    result: (file, payload) => lines(file, payload, { copy: "export the disk: pyro disk export" }),
    exitStatus: binaryStatus
  } satisfies View<"workspace.disk.read">,
  "workspace.disk.export": {
    result: ({ format, output, virtualBytes, writtenBytes }) =>
      note(`${output}: ${format} image of ${size(virtualBytes)}, ${size(writtenBytes)} of data\n`)
  } satisfies View<"workspace.disk.export">,
  "workspace.file.write": {
    result: (file) => note(`${file.path}: ${file.created ? "created" : "written"}, version ${file.version}\n`)
  } satisfies View<"workspace.file.write">,
  "workspace.file.edit": {
    result: (file) => note(`${file.path}: ${count(file.replaced, "place")} edited, version ${file.version}\n`)
  } satisfies View<"workspace.file.edit">,
  "workspace.diff": {
    result: (diff, { paths, workspace }) =>
      differences(diff, {
        none: noneIn(paths, diff, "changed"),
        sides: "the workspace or its seed",
        instead: (path) =>
          Schema.is(WorkspaceName())(path)
            ? `If ${path} is a workspace: ${typed(["pyro", "compare", workspace, path])}`
            : undefined,
        having: ({ status }) => status === "deleted" ? undefined : workspace,
        whole: `export the whole patch: pyro export ${typed([workspace])} --patch --output -`
      }),
    exitStatus: wholeOrNot
  } satisfies View<"workspace.diff">,
  "workspace.compare": {
    result: (diff, { from, paths, to }) =>
      differences(diff, {
        none: noneIn(paths, diff, "differs"),
        sides: "either side",
        having: ({ status }) => {
          const side = status === "deleted" ? from : to
          // Nothing is exported from a snapshot.
          return side.includes("@") ? undefined : side
        },
        whole: "compare by paths: --path"
      }),
    exitStatus: wholeOrNot
  } satisfies View<"workspace.compare">,
  "workspace.patch.apply": {
    result: ({ applied, files, filesChanged, notes }) =>
      Effect.gen(function*() {
        yield* print(files.map(({ change, path }) => `${change} ${path}\n`).join(""))
        for (const one of notes) yield* note(noteText(one))
        yield* note(
          applied ? `${count(filesChanged, "file")} changed\n` : `the patch applies to ${count(filesChanged, "file")}\n`
        )
      })
  } satisfies View<"workspace.patch.apply">,
  "workspace.export": {
    event: (event) =>
      event._tag === "Output"
        ? printPiece(event.bytes)
        : Effect.void,
    result: (result) =>
      Effect.gen(function*() {
        yield* remarks("left out", result.skipped, result.skippedCount)
        for (const warning of result.warnings) yield* note(`pyro: warning: ${warning}\n`)
        if (result.output !== "-") {
          yield* note(`${result.output}: ${count(result.files, "file")}, ${size(result.bytes)}\n`)
        }
      })
  } satisfies View<"workspace.export">,
  "workspace.import": {
    result: (copied) =>
      Effect.gen(function*() {
        yield* remarks("left out", copied.skipped, copied.skippedCount)
        yield* note(`${copied.path}: ${count(copied.files, "file")}, ${size(copied.bytes)}\n`)
      }),
    perform: ({ workspace }, payload) =>
      payload.sourcePath === "-"
        ? Effect.scoped(Effect.flatMap(withStdin(payload), workspace.import)).pipe(
          Effect.map((result) => ({ _tag: "Result", result }))
        )
        : undefined
  } satisfies View<"workspace.import">,
  "workspace.sync.push": {
    result: (pushed, { force }) =>
      Effect.gen(function*() {
        yield* print(pushed.files.map(({ change, path }) => `${change} ${path}\n`).join(""))
        yield* remarks("left alone", pushed.conflicts, pushed.conflictCount)
        // A directory that is in the way stays in spite of it.
        if (!force && pushed.conflicts.some(({ reason }) => reason.includes("changed in the workspace"))) {
          yield* note("pyro: overwrite files that were changed in the workspace: --force\n")
        }
        yield* remarks("skipped", pushed.skipped, pushed.skippedCount)
        for (const warning of pushed.warnings) yield* note(`pyro: warning: ${warning}\n`)
        const left = ignoredFilesNote(pushed.ignoredCount, pushed.ignored)
        if (left !== undefined) yield* note(`pyro: ${left}\n`)
        const gone = missingOnHostNote(pushed.goneCount, pushed.gone, "--delete")
        if (gone !== undefined) yield* note(`pyro: ${gone}\n`)
        const counts = [
          `${count(pushed.writtenCount, "file")} written`,
          pushed.equalCount > 0 && `${pushed.equalCount} already equal`,
          pushed.removedCount > 0 && `${pushed.removedCount} removed`,
          pushed.conflictCount > 0 && `${pushed.conflictCount} left alone`
        ]
        yield* note(`${counts.filter((part) => part !== false).join(", ")}\n`)
      }),
    // The next command would run without the host's changes.
    exitStatus: ({ conflictCount }) => conflictCount > 0 ? 1 : 0
  } satisfies View<"workspace.sync.push">
}
