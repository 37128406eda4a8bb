import { Effect } from "effect"
import type { DiffFile } from "../contract/operations/workspace-diff.ts"
import { columns, print, say, size, warn } from "./print.ts"
import { Terminal } from "./terminal.ts"
import type { View } from "./view.ts"

const letters = { added: "A", modified: "M", deleted: "D", renamed: "R", type_changed: "T" } as const

const changed = (file: DiffFile) => [
  letters[file.status],
  file.from === undefined ? file.path : `${file.from} -> ${file.path}`,
  file.binary ? "binary" : file.additions === undefined ? "" : `+${file.additions} -${file.deletions ?? 0}`
]

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`

export const contentViews = {
  "workspace.file.list": {
    result: ({ entries, truncated }) =>
      Effect.zipRight(
        print(columns(entries.map((entry) => [
          entry.mode,
          entry.type === "directory" ? "-" : size(entry.sizeBytes),
          entry.type === "directory" ? `${entry.path}/` : entry.path,
          entry.target === undefined ? "" : `-> ${entry.target}`
        ]))),
        truncated ? warn("pyro: there is more; raise --limit, or list a directory beneath\n") : Effect.void
      )
  } satisfies View<"workspace.file.list">,
  "workspace.file.read": {
    result: (file) =>
      file.binary
        ? warn(`pyro: ${file.path} is binary, ${size(file.sizeBytes)}; copy it with --output PATH, or - for stdout\n`)
        : Effect.zipRight(
          Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(file.text ?? "")),
          file.truncated ? warn(`pyro: there is more; go on with --start-line ${file.nextLine ?? 1}\n`) : Effect.void
        )
  } satisfies View<"workspace.file.read">,
  "workspace.file.write": {
    result: (file) => say(`${file.path}: ${file.created ? "made" : "written"}, version ${file.version}\n`)
  } satisfies View<"workspace.file.write">,
  "workspace.file.edit": {
    result: (file) => say(`${file.path}: ${count(file.replaced, "place")} edited, version ${file.version}\n`)
  } satisfies View<"workspace.file.edit">,
  "workspace.diff": {
    result: (diff) =>
      Effect.gen(function*() {
        yield* diff.patch === undefined
          ? print(columns(diff.files.map(changed)))
          : Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(diff.patch ?? ""))
        const ignored = diff.ignoredCount === 0 ? "" : `, ${count(diff.ignoredCount, "ignored file")} left out`
        yield* say(`${count(diff.summary.files, "file")} changed${ignored}\n`)
        if (diff.truncated === true) {
          yield* warn("pyro: the patch is cut; export the whole of it with: pyro workspace export --patch\n")
        }
      })
  } satisfies View<"workspace.diff">,
  "workspace.patch.apply": {
    result: ({ applied, files, filesChanged }) =>
      Effect.zipRight(
        print(files.map(({ change, path }) => `${change} ${path}\n`).join("")),
        say(applied ? `${count(filesChanged, "file")} changed\n` : `it applies, to ${count(filesChanged, "file")}\n`)
      )
  } satisfies View<"workspace.patch.apply">,
  "workspace.export": {
    event: (event) =>
      event._tag === "Output"
        ? Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(event.bytes))
        : Effect.void,
    result: (result) =>
      Effect.gen(function*() {
        for (const { path, reason } of result.skipped.slice(0, 20)) yield* say(`pyro: left out: ${path} (${reason})\n`)
        for (const warning of result.warnings) yield* say(`pyro: warning: ${warning}\n`)
        if (result.output !== "-") {
          yield* say(`${result.output}: ${count(result.files, "file")}, ${size(result.bytes)}\n`)
        }
      })
  } satisfies View<"workspace.export">,
  "workspace.sync.push": {
    result: (pushed) =>
      Effect.gen(function*() {
        yield* print(pushed.files.map(({ change, path }) => `${change} ${path}\n`).join(""))
        for (const { path, reason } of pushed.conflicts.slice(0, 20)) {
          yield* say(`pyro: left alone: ${path} (${reason})\n`)
        }
        for (const { path, reason } of pushed.skipped.slice(0, 20)) yield* say(`pyro: skipped: ${path} (${reason})\n`)
        yield* say(`${count(pushed.filesPushed, "file")} pushed\n`)
      })
  } satisfies View<"workspace.sync.push">
}
