import { Effect } from "effect"
import type { DiffFile, DiffResult } from "../../contract/rows/workspace-diff.ts"
import { count } from "../../contract/text/count.ts"
import { printable } from "../../contract/text/printable.ts"
import { cutBeginning, padded, paint, type TextWidth, widthFor } from "../output/table.ts"

import { Schema } from "effect"
import { WorkspaceName } from "../../contract/rows/workspace-field.ts"
import { typed } from "../../contract/text/printable.ts"
import { endLine, note, OutputOptions, print, printContent, warn } from "../output/print.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { Views } from "./view.ts"

const HEADER =
  /^(?:diff --git|index|---|\+\+\+|old mode|new mode|new file mode|deleted file mode|similarity index|rename (?:from|to)|GIT binary patch)(?: |$)/

/** A patch in git's colours. */
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
    // A header line may also begin with a sign.
    if (inHunk <= 0) return HEADER.test(line) ? paint("bold", text) : text
    inHunk -= sign === " " ? 2 : sign === "+" || sign === "-" ? 1 : 0
    return sign === "+" ? paint("green", text) : sign === "-" ? paint("red", text) : text
  }).join("\n")
}

const LETTERS = { added: "A", deleted: "D", modified: "M", renamed: "R", type_changed: "T", mounted: "U" } as const

/** A line of `git diff --name-status`. pyro finds only renames without a change of content. */
const statusLine = ({ from, path, status }: DiffFile): string =>
  `${LETTERS[status]}${status === "renamed" ? "100" : ""}${from === undefined ? "" : `\t${from}`}\t${path}\n`

const nameOf = ({ from, path }: DiffFile) => printable(from === undefined ? path : `${from} => ${path}`)

interface StatOptions {
  readonly width: number
  readonly colour: boolean
}

/** The output of `git diff --stat`: a line per file and a total. */
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
  /** A change always has at least one sign. */
  const scaled = (count: number) => most <= graph || count === 0 ? count : Math.max(1, Math.floor(count * graph / most))
  const colour = (name: "green" | "red", text: string) => options.colour && text !== "" ? paint(name, text) : text
  return files.map((file, at) => {
    const fitting = padded(cutBeginning(names[at] ?? "", nameWidth, layout), nameWidth, layout)
    const what = file.binary === true
      ? `${"Bin".padStart(digits)} ${count(file.size, "byte")}`
      : file.status === "mounted"
      ? `${"?".padStart(digits)} something is mounted there: not compared`
      : file.tooLarge === true
      ? `${"?".padStart(digits)} too large to compare, ${count(file.size, "byte")}`
      : `${String(changes(file)).padStart(digits)} ${colour("green", "+".repeat(scaled(file.additions ?? 0)))}${
        colour("red", "-".repeat(scaled(file.deletions ?? 0)))
      }`
    return ` ${fitting} | ${what}`.trimEnd() + "\n"
  }).join("")
}

const totalText = ({ summary, unlisted }: Pick<DiffResult, "summary" | "unlisted">): string => {
  const { additions = 0, deletions = 0 } = summary
  const total = [
    ` ${count(summary.files, "file", "files")} changed`,
    ...(additions > 0 || deletions === 0 ? [count(additions, "insertion(+)", "insertions(+)")] : []),
    ...(deletions > 0 || additions === 0 ? [count(deletions, "deletion(-)", "deletions(-)")] : [])
  ].join(", ")
  const more = unlisted > 0 ? ` ... and ${count(unlisted, "file", "files")} more\n` : ""
  return `${more}${total}\n`
}

interface DifferenceWords {
  /** Printed if there are no changes. Undefined if no requested path exists. */
  readonly none: string | undefined
  /** The places in which a path is missing. */
  readonly sides: string
  /** Hint for a missing path. */
  readonly instead?: (path: string) => string | undefined
  /** The workspace that has a file now. Undefined if no export can have the file. */
  readonly having: (file: DiffFile) => string | undefined
  readonly whole: string
}

/** A command that exports one of the files that are too large. */
const exportOfOne = (files: ReadonlyArray<DiffFile>, having: DifferenceWords["having"]) => {
  for (const file of files) {
    const workspace = having(file)
    // A path that begins with a dash would be an option.
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

/** Prints a diff or a comparison. `words` are its own words for omitted parts. */
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
      const list = diff.defaultRules === undefined
        ? ""
        : ` (also by pyro's own list: ${diff.defaultRules.join(", ")})`
      yield* note(`${count(diff.ignoredCount, "ignored file")} left out${list}; show them with --include-ignored\n`)
    }
    if (diff.nestedCount !== undefined) {
      const names = [...(diff.nested ?? []).slice(0, 5), ...(diff.nestedCount > 5 ? ["..."] : [])].join(", ")
      yield* note(
        `new files of ${
          count(diff.nestedCount, "repository", "repositories")
        } made in the workspace left out (${names}); ` +
          "name one, or show them with --include-ignored\n"
      )
    }
    if (diff.convertedCount !== undefined) {
      const names = [...(diff.converted ?? []).slice(0, 5), ...(diff.convertedCount > 5 ? ["..."] : [])].join(", ")
      yield* note(
        `git apply may refuse the patch of ${count(diff.convertedCount, "file")} that git converts (${names}); ` +
          "make the changes with: pyro export --apply\n"
      )
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

/** Text of a diff without changes. */
const noneIn = (paths: ReadonlyArray<string>, { missingPaths = [] }: DiffResult, verb: string) =>
  paths.length === 0
    ? `nothing ${verb}`
    : missingPaths.length === 0
    ? `nothing ${verb} in these paths`
    : missingPaths.length < paths.length
    ? `nothing ${verb} in the other paths`
    : undefined

/** Exit status. An incomplete patch may become input: `pyro diff > FILE && git apply FILE`. A mount hides changes in every form of a diff, and a missing path has no changes. */
const wholeOrNot = ({ lossy, missingPaths, mountedCount, patch, tooLargeCount, truncated }: DiffResult) =>
  mountedCount !== undefined || missingPaths !== undefined ||
    (patch !== undefined && (truncated === true || lossy === true || tooLargeCount !== undefined))
    ? 1
    : 0

export const diffViews = {
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
  },
  "workspace.compare": {
    result: (diff, { from, paths, to }) =>
      differences(diff, {
        none: noneIn(paths, diff, "differs"),
        sides: "either side",
        having: ({ status }) => {
          const side = status === "deleted" ? from : to
          // Snapshots have no export.
          return side.includes("@") ? undefined : side
        },
        whole: "compare by paths: --path"
      }),
    exitStatus: wholeOrNot
  }
} satisfies Views
