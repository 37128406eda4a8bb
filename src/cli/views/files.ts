import { Effect, Schema, type Scope, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { MAX_READ_BYTES } from "../../contract/rows/file-fields.ts"
import { typedTold } from "../../contract/rows/next-steps.ts"
import type { Told } from "../../contract/rows/notice.ts"
import type { DiskContent } from "../../contract/rows/workspace-disk.ts"
import { type ExportResult, workspaceExport } from "../../contract/rows/workspace-export.ts"
import { type FileChange, FileWatchEvent } from "../../contract/rows/workspace-file-watch.ts"
import type { FileList, FileReadPayload } from "../../contract/rows/workspace-file.ts"
import { type ImportPayload, MAX_STDIN_BYTES, workspaceImport } from "../../contract/rows/workspace-import.ts"
import type { PatchApplied } from "../../contract/rows/workspace-patch.ts"
import { workspaceSyncPush } from "../../contract/rows/workspace-sync.ts"
import { count } from "../../contract/text/count.ts"
import { ignoredFilesNote, missingOnHostNote } from "../../contract/text/host-file-notes.ts"
import { endLine, note, print, printContent, printJsonLines, printPiece, size, warn } from "../output/print.ts"
import { painted, printTable } from "../output/table.ts"
import { type Spool, spool } from "../terminal/files.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { Views } from "./view.ts"

const MIB = 1024 * 1024

/** A warning of an export. */
const warningText = (warning: Told) => `pyro: warning: ${typedTold(warning, workspaceExport.cli)}\n`

/** Permission bits of the copy in the guest. */
const MODE = 0o644

const refused = (detail: string) => new InvalidRequest({ field: "<source_path>", detail })

/** The request of an import whose source is `-`, with the content of stdin, or with a temporary file if stdin is too long. */
const withStdin = (
  payload: ImportPayload
): Effect.Effect<ImportPayload, InvalidRequest, Scope.Scope | Terminal> =>
  Effect.gen(function*() {
    const { stdin } = yield* Terminal
    const kept: Array<Uint8Array> = []
    let file: Spool | undefined
    let bytes = 0
    yield* Stream.runForEach(stdin, (piece) =>
      Effect.gen(function*() {
        kept.push(piece)
        bytes += piece.length
        if (bytes > payload.maxMib * MIB) {
          return yield* refused(`stdin has more than ${payload.maxMib} MiB; allow more with --max-mib`)
        }
        if (bytes <= MAX_STDIN_BYTES) return
        file ??= yield* spool(MODE)
        yield* file.append(kept.splice(0))
      }))
    return file === undefined
      ? { ...payload, content: Buffer.concat(kept) }
      : { ...payload, sourcePath: file.path, unnamed: true }
  }).pipe(Effect.catchTag("SpoolFailed", ({ detail }) => refused(detail)))

/** Notes the first 20 paths with an exceptional treatment, and the number of further ones. */
const remarks = (
  what: string,
  all: ReadonlyArray<{ readonly path: string; readonly reason: string }>,
  total: number
) =>
  Effect.gen(function*() {
    for (const { path, reason } of all.slice(0, 20)) yield* note(`pyro: ${what}: ${path} (${reason})\n`)
    if (total > 20) yield* note(`pyro: ${what}: ${total - Math.min(20, all.length)} more\n`)
  })

/** The changed files of a directory of the host, and how many there are. */
const appliedText = (
  { baselineMoved, changedFiles, checked, entries, equalFiles = 0, output }: Pick<
    ExportResult,
    "baselineMoved" | "changedFiles" | "checked" | "entries" | "equalFiles" | "output"
  >
) =>
  Effect.gen(function*() {
    // A hint has said that there is nothing to export.
    if (changedFiles === 0) return
    const changeOf = ({ removed, replaced }: ExportResult["entries"][number]) =>
      removed === true ? "deleted" : replaced === true ? "modified" : "added"
    yield* print(entries.map((entry) => `${changeOf(entry)} ${entry.path}\n`).join(""))
    const equal = equalFiles === 0 ? "" : `, ${equalFiles} already equal`
    yield* note(
      checked === true
        ? `${output}: ${count(entries.length, "file")} would be changed${equal}\n`
        : `${output}: ${count(entries.length, "file")} changed${equal}${
          baselineMoved === true && entries.length + equalFiles > 0 ? "; the next diff begins here" : ""
        }\n`
    )
  })

/** Note about a hunk that fits at another place, or only without white space. */
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

/** Prints lines of a text file. `copy` is the command that copies all of its bytes. */
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

// Otherwise a redirection would leave an empty file with status 0.
const binaryStatus = ({ binary }: { readonly binary: boolean }) => binary ? 1 : 0

const changeLine = ({ change, directory, from, path }: FileChange) =>
  `${change} ${from === undefined ? "" : `${from} -> `}${path}${directory ? "/" : ""}\n`

const showWatched = (event: FileWatchEvent) => {
  switch (event._tag) {
    case "Watching":
      return note(`watching ${event.path}\n`)
    case "Changed":
      return print(event.changes.map(changeLine).join(""))
    case "Lost":
      return warn("pyro: there were more changes than the guest keeps; look at the files again\n")
    case "Unwatched":
      return warn(`pyro: not watched: ${event.path}, and maybe more\n`)
    case "Ended":
      return Effect.void
  }
}

export const fileViews = {
  "workspace.file.list": { result: listing },
  "workspace.file.read": {
    result: (file, payload) =>
      lines(file, payload, { copy: "copy the file with --output PATH", orStdout: ", or - for stdout" }),
    exitStatus: binaryStatus
  },
  "workspace.disk.list": { result: listing },
  "workspace.disk.read": {
    result: (file, payload) => lines(file, payload, { copy: "export the disk: pyro disk export" }),
    exitStatus: binaryStatus
  },
  "workspace.disk.export": {
    result: ({ format, output, virtualBytes, writtenBytes }) =>
      note(`${output}: ${format} image of ${size(virtualBytes)}, ${size(writtenBytes)} of data\n`)
  },
  "workspace.file.write": {
    result: (file) => note(`${file.path}: ${file.created ? "created" : "written"}, version ${file.version}\n`)
  },
  "workspace.file.download": {
    event: (event) => event._tag === "Output" ? printPiece(event.bytes) : Effect.void,
    result: ({ changed, path }) => changed ? warn(`pyro: ${path} changed while it was read, or went\n`) : Effect.void
  },
  "workspace.file.upload": {
    result: (file) => note(`${file.path}: ${file.created ? "created" : "written"}, version ${file.version}\n`)
  },
  "workspace.file.watch": {
    event: (event) => showWatched(event),
    result: ({ path }) => note(`${path}: is gone\n`),
    perform: ({ workspace }, payload, json) =>
      json
        ? Effect.as(
          Stream.runForEach(workspace.file.watch(payload), (event) =>
            Effect.flatMap(Effect.orDie(Schema.encodeEffect(FileWatchEvent())(event)), (line) =>
              printJsonLines([line]))),
          { _tag: "Shown", status: 0 }
        )
        : undefined
  },
  "workspace.file.edit": {
    result: (file) => note(`${file.path}: ${count(file.replaced, "place")} edited, version ${file.version}\n`)
  },
  "workspace.file.stat": {
    result: (file) =>
      file.exists
        ? printTable([[
          file.type ?? "",
          file.mode ?? "",
          `${file.uid}:${file.gid}`,
          size(file.sizeBytes ?? 0),
          file.path,
          file.target === undefined ? "" : `-> ${file.target}`
        ]])
        : note(`${file.path}: does not exist\n`),
    exitStatus: ({ exists }) => exists ? 0 : 1
  },
  "workspace.file.mkdir": {
    result: ({ created, path }) => note(`${path}: ${created ? "created" : "is there already"}\n`)
  },
  "workspace.file.remove": {
    result: ({ path, removed }) => note(`${path}: ${removed ? "removed" : "does not exist"}\n`)
  },
  "workspace.file.rename": { result: ({ path }) => note(`${path}: moved\n`) },
  "workspace.file.copy": {
    result: ({ bytes, entries, path, skipped }) =>
      Effect.andThen(
        skipped > 0 ? warn(`pyro: left out: ${skipped} devices, sockets, FIFOs or mounts\n`) : Effect.void,
        note(`${path}: ${count(entries, "entry", "entries")} copied, ${size(bytes)}\n`)
      )
  },
  "workspace.file.chmod": { result: ({ mode, path }) => note(`${path}: mode ${mode}\n`) },
  "workspace.patch.apply": {
    result: ({ applied, files, filesChanged, notes }) =>
      Effect.gen(function*() {
        yield* print(files.map(({ change, path }) => `${change} ${path}\n`).join(""))
        for (const { lineEndings, path } of files) {
          if (lineEndings !== undefined) {
            yield* note(`pyro: note: the lines of ${path} still end in ${lineEndings.toUpperCase()}\n`)
          }
        }
        for (const one of notes) yield* note(noteText(one))
        yield* note(
          applied ? `${count(filesChanged, "file")} changed\n` : `the patch applies to ${count(filesChanged, "file")}\n`
        )
      })
  },
  "workspace.export": {
    event: (event) =>
      event._tag === "Output"
        ? printPiece(event.bytes)
        : event._tag === "Exported"
        // Those of notices were shown as they came.
        ? Effect.forEach(event.summary.warnings, (warning) => note(warningText(warning)), { discard: true })
        : Effect.void,
    result: (result) =>
      Effect.gen(function*() {
        yield* remarks("left out", result.skipped, result.skippedCount)
        if (result.output !== "-") {
          if (result.kind === "changes") return yield* appliedText(result)
          const { changedFiles, files } = result
          const what = changedFiles === undefined ? count(files, "file") : count(changedFiles, "changed file")
          yield* note(`${result.output}: ${what}, ${size(result.bytes)}\n`)
        }
      })
  },
  "workspace.answer": {
    result: (answered) => {
      const what = answered.output ??
        `login as ${answered.user ?? ""} to ${answered.host ?? ""} with ${answered.fingerprint ?? ""}`
      return note(`${what}: ${answered.decision === "allow" ? "allowed" : "denied"}\n`)
    }
  },
  "workspace.import": {
    result: (copied) =>
      Effect.gen(function*() {
        yield* remarks("left out", copied.skipped, copied.skippedCount)
        for (const warning of copied.warnings ?? []) {
          yield* note(`pyro: warning: ${typedTold(warning, workspaceImport.cli)}\n`)
        }
        yield* note(`${copied.path}: ${count(copied.files, "file")}, ${size(copied.bytes)}\n`)
      }),
    perform: ({ workspace }, payload) =>
      payload.sourcePath === "-"
        ? Effect.scoped(Effect.flatMap(withStdin(payload), workspace.import)).pipe(
          Effect.map((result) => ({ _tag: "Result", result }))
        )
        : undefined
  },
  "workspace.sync.push": {
    result: (pushed, { force }) =>
      Effect.gen(function*() {
        yield* print(pushed.files.map(({ change, path }) => `${change} ${path}\n`).join(""))
        yield* remarks("left alone", pushed.conflicts, pushed.conflictCount)
        // --force does not replace a directory that is in the way.
        if (!force && pushed.conflicts.some(({ reason }) => reason.includes("changed in the workspace"))) {
          yield* note("pyro: overwrite files that were changed in the workspace: --force\n")
        }
        yield* remarks("skipped", pushed.skipped, pushed.skippedCount)
        for (const warning of pushed.warnings) {
          yield* note(`pyro: warning: ${typedTold(warning, workspaceSyncPush.cli)}\n`)
        }
        const left = ignoredFilesNote(pushed.ignoredCount, pushed.ignored)
        if (left !== undefined) yield* note(`pyro: ${left}; copy them with --include-ignored GLOB\n`)
        const gone = missingOnHostNote(pushed.missingOnHostCount, pushed.missingOnHost, "--delete")
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
  }
} satisfies Views
