import { Effect } from "effect"
import { colouredPatch, statText } from "./diff-text.ts"
import { print, printContent, say, size, warn } from "./print.ts"
import { painted, printTable } from "./table.ts"
import { Terminal } from "./terminal.ts"
import type { View } from "./view.ts"

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`

/** Paths that were treated otherwise, the first 20, and how many more. */
const remarks = (
  what: string,
  told: ReadonlyArray<{ readonly path: string; readonly reason: string }>,
  total: number
) =>
  Effect.gen(function*() {
    for (const { path, reason } of told.slice(0, 20)) yield* say(`pyro: ${what}: ${path} (${reason})\n`)
    if (total > 20) yield* say(`pyro: ${what}: ${total - Math.min(20, told.length)} more\n`)
  })

/** What a diff and a comparison tell in the same way; in their own words what they have not shown. */
const differences = (
  words: { readonly none: string; readonly tooLarge: string; readonly whole: string }
): View<"workspace.diff"> => ({
  result: (diff) =>
    Effect.gen(function*() {
      const terminal = yield* Terminal
      if (diff.patch !== undefined) {
        yield* terminal.colour ? terminal.writeStdout(colouredPatch(diff.patch)) : printContent(diff.patch)
      } else if (diff.summary.additions === undefined) {
        yield* print(diff.files.map(({ path }) => `${path}\n`).join(""))
      } else {
        const { cols } = yield* terminal.size
        yield* terminal.writeStdout(statText(diff, { width: cols, colour: terminal.colour }))
      }
      if (diff.summary.files === 0) yield* say(`${words.none}\n`)
      if (diff.ignoredCount > 0) {
        yield* say(`${count(diff.ignoredCount, "ignored file")} left out; see them with --include-ignored\n`)
      }
      if (diff.unlisted > 0 && diff.patch === undefined) yield* warn(`pyro: ${count(diff.unlisted, "file")} more\n`)
      if (diff.tooLargeCount !== undefined) {
        const named = diff.files.filter(({ tooLarge }) => tooLarge).slice(0, 5).map(({ path }) => path)
        const names = [...named, ...(diff.tooLargeCount > named.length ? ["..."] : [])].join(", ")
        yield* warn(
          `pyro: ${count(diff.tooLargeCount, "file")} too large to compare, in no patch (${names}); ` +
            `see what they are with --stat, ${words.tooLarge}\n`
        )
      }
      if (diff.truncated === true || diff.lossy === true) {
        const why = diff.truncated === true ? "is cut" : "has bytes that are not UTF-8, which were replaced"
        yield* warn(`pyro: the patch ${why}; ${words.whole}\n`)
      }
    })
})

export const contentViews = {
  "workspace.file.list": {
    result: ({ entries, truncated }) =>
      Effect.zipRight(
        printTable(entries.map((entry) => [
          entry.mode,
          entry.type === "directory" ? "-" : size(entry.sizeBytes),
          entry.type === "directory" ? painted("cyan", `${entry.path}/`) : entry.path,
          entry.target === undefined ? "" : `-> ${entry.target}`
        ])),
        truncated ? warn("pyro: there is more; raise --limit, or list a directory beneath\n") : Effect.void
      )
  } satisfies View<"workspace.file.list">,
  "workspace.file.read": {
    result: (file) =>
      file.binary
        ? warn(`pyro: ${file.path} is binary, ${size(file.sizeBytes)}; copy it with --output PATH, or - for stdout\n`)
        : Effect.zipRight(
          printContent(file.text ?? ""),
          file.truncated ? warn(`pyro: there is more; go on with --start-line ${file.nextLine ?? 1}\n`) : Effect.void
        )
  } satisfies View<"workspace.file.read">,
  "workspace.file.write": {
    result: (file) => say(`${file.path}: ${file.created ? "made" : "written"}, version ${file.version}\n`)
  } satisfies View<"workspace.file.write">,
  "workspace.file.edit": {
    result: (file) => say(`${file.path}: ${count(file.replaced, "place")} edited, version ${file.version}\n`)
  } satisfies View<"workspace.file.edit">,
  "workspace.diff": differences({
    none: "nothing changed",
    tooLarge: "have one with: pyro workspace export WORKSPACE PATH --output FILE",
    whole: "the whole, byte by byte: pyro workspace export --patch --output -"
  }),
  "workspace.compare": differences({
    none: "nothing differs",
    tooLarge: "have one with: pyro workspace export WORKSPACE PATH --output FILE",
    whole: "have it in parts with --path"
  }),
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
        yield* remarks("left out", result.skipped, result.skippedCount)
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
        yield* remarks("left alone", pushed.conflicts, pushed.conflictCount)
        yield* remarks("skipped", pushed.skipped, pushed.skippedCount)
        yield* say(`${count(pushed.filesPushed, "file")} pushed\n`)
      })
  } satisfies View<"workspace.sync.push">
}
