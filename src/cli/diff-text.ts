import { Effect } from "effect"
import type { DiffFile, DiffResult } from "../contract/rows/workspace-diff.ts"
import { printable } from "../contract/text/printable.ts"
import { paint } from "./table.ts"
import { cutBeginning, padded, type TextWidth, widthFor } from "./text-width.ts"

const HEADER =
  /^(?:diff --git|index|---|\+\+\+|old mode|new mode|new file mode|deleted file mode|similarity index|rename (?:from|to)|GIT binary patch)(?: |$)/

/** A patch for people: its lines in the colours that git gives them. */
export const colouredPatch = (patch: string): string => {
  let inHunk = 0
  return patch.split("\n").map((line) => {
    const text = printable(line)
    const lengths = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (lengths !== null) {
      inHunk = Number(lengths[1] ?? 1) + Number(lengths[2] ?? 1)
      return paint("cyan", text)
    }
    const sign = line[0]
    // A sign at the beginning of a header line is no change.
    if (inHunk <= 0) return HEADER.test(line) ? paint("bold", text) : text
    inHunk -= sign === " " ? 2 : sign === "+" || sign === "-" ? 1 : 0
    return sign === "+" ? paint("green", text) : sign === "-" ? paint("red", text) : text
  }).join("\n")
}

const LETTERS = { added: "A", deleted: "D", modified: "M", renamed: "R", type_changed: "T", mounted: "U" } as const

/** A line of `git diff --name-status`; pyro finds renames without a change of content only. */
export const statusLine = ({ from, path, status }: DiffFile): string =>
  `${LETTERS[status]}${status === "renamed" ? "100" : ""}${from === undefined ? "" : `\t${from}`}\t${path}\n`

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

const nameOf = ({ from, path }: DiffFile) => printable(from === undefined ? path : `${from} => ${path}`)

interface StatOptions {
  readonly width: number
  readonly colour: boolean
}

/** What `git diff --stat` prints: a line per file and one for all. */
export const statText = (
  diff: Pick<DiffResult, "files" | "summary" | "unlisted">,
  options: StatOptions
): Effect.Effect<string> => {
  if (diff.summary.files === 0) return Effect.succeed("")
  const names = diff.files.map(nameOf)
  return Effect.map(widthFor(names), (layout) => statLines(diff.files, names, options, layout) + totalText(diff))
}

const statLines = (
  files: ReadonlyArray<DiffFile>,
  names: ReadonlyArray<string>,
  options: StatOptions,
  layout: TextWidth
): string => {
  const changes = ({ additions = 0, deletions = 0 }: DiffFile) => additions + deletions
  const most = Math.max(0, ...files.map(changes))
  const digits = Math.max(3, String(most).length)
  const longest = Math.max(0, ...names.map(layout.columns))
  const nameWidth = Math.min(longest, Math.max(10, options.width - digits - 5 - Math.min(most, 20)))
  const graph = Math.max(1, options.width - nameWidth - digits - 5)
  /** A change is never nothing. */
  const scaled = (count: number) => most <= graph || count === 0 ? count : Math.max(1, Math.floor(count * graph / most))
  const colour = (name: "green" | "red", text: string) => options.colour && text !== "" ? paint(name, text) : text
  return files.map((file, at) => {
    const fitting = padded(cutBeginning(names[at] ?? "", nameWidth, layout), nameWidth, layout)
    const what = file.binary === true
      ? `${"Bin".padStart(digits)} ${file.size} bytes`
      : file.status === "mounted"
      ? `${"?".padStart(digits)} something is mounted there: not compared`
      : file.tooLarge === true
      ? `${"?".padStart(digits)} too large to compare, ${file.size} bytes`
      : `${String(changes(file)).padStart(digits)} ${colour("green", "+".repeat(scaled(file.additions ?? 0)))}${
        colour("red", "-".repeat(scaled(file.deletions ?? 0)))
      }`
    return ` ${fitting} | ${what}`.trimEnd() + "\n"
  }).join("")
}

const totalText = ({ summary, unlisted }: Pick<DiffResult, "summary" | "unlisted">): string => {
  const { additions = 0, deletions = 0 } = summary
  const total = [
    ` ${counted(summary.files, "file", "files")} changed`,
    ...(additions > 0 || deletions === 0 ? [counted(additions, "insertion(+)", "insertions(+)")] : []),
    ...(deletions > 0 || additions === 0 ? [counted(deletions, "deletion(-)", "deletions(-)")] : [])
  ].join(", ")
  const more = unlisted > 0 ? ` ... and ${counted(unlisted, "file", "files")} more\n` : ""
  return `${more}${total}\n`
}
