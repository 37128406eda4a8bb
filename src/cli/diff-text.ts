import type { DiffFile, DiffResult } from "../contract/operations/workspace-diff.ts"
import { printable } from "../contract/printable.ts"
import { paint } from "./table.ts"

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
    // What begins with a sign in a header is no change.
    if (inHunk <= 0) return HEADER.test(line) ? paint("bold", text) : text
    inHunk -= sign === " " ? 2 : sign === "+" || sign === "-" ? 1 : 0
    return sign === "+" ? paint("green", text) : sign === "-" ? paint("red", text) : text
  }).join("\n")
}

const LETTERS = { added: "A", deleted: "D", modified: "M", renamed: "R", type_changed: "T" } as const

/** A line of `git diff --name-status`; pyro finds renames without a change of content only. */
export const statusLine = ({ from, path, status }: DiffFile): string =>
  `${LETTERS[status]}${status === "renamed" ? "100" : ""}${from === undefined ? "" : `\t${from}`}\t${path}\n`

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

const nameOf = ({ from, path }: DiffFile) => printable(from === undefined ? path : `${from} => ${path}`)

/** What `git diff --stat` prints: a line per file and one for all. */
export const statText = (
  { files, summary, unlisted }: Pick<DiffResult, "files" | "summary" | "unlisted">,
  options: { readonly width: number; readonly colour: boolean }
): string => {
  if (summary.files === 0) return ""
  const changes = ({ additions = 0, deletions = 0 }: DiffFile) => additions + deletions
  const most = Math.max(0, ...files.map(changes))
  const digits = Math.max(3, String(most).length)
  const names = files.map(nameOf)
  const longest = Math.max(0, ...names.map((name) => name.length))
  const nameWidth = Math.min(longest, Math.max(10, options.width - digits - 5 - Math.min(most, 20)))
  const graph = Math.max(1, options.width - nameWidth - digits - 5)
  /** A change is never nothing. */
  const scaled = (count: number) => most <= graph || count === 0 ? count : Math.max(1, Math.floor(count * graph / most))
  const colour = (name: "green" | "red", text: string) => options.colour && text !== "" ? paint(name, text) : text
  const lines = files.map((file, at) => {
    const name = names[at] ?? ""
    const fitting = name.length > nameWidth ? `...${name.slice(name.length - nameWidth + 3)}` : name.padEnd(nameWidth)
    const what = file.binary === true
      ? `${"Bin".padStart(digits)} ${file.size} bytes`
      : file.tooLarge === true
      ? `${"?".padStart(digits)} too large to compare, ${file.size} bytes`
      : `${String(changes(file)).padStart(digits)} ${colour("green", "+".repeat(scaled(file.additions ?? 0)))}${
        colour("red", "-".repeat(scaled(file.deletions ?? 0)))
      }`
    return ` ${fitting} | ${what}`.trimEnd() + "\n"
  })
  const { additions = 0, deletions = 0 } = summary
  const total = [
    ` ${counted(summary.files, "file", "files")} changed`,
    ...(additions > 0 || deletions === 0 ? [counted(additions, "insertion(+)", "insertions(+)")] : []),
    ...(deletions > 0 || additions === 0 ? [counted(deletions, "deletion(-)", "deletions(-)")] : [])
  ].join(", ")
  const more = unlisted > 0 ? [` ... and ${counted(unlisted, "file", "files")} more\n`] : []
  return [...lines, ...more, `${total}\n`].join("")
}
