import { Schema } from "effect"
import type { CliSurface } from "../contract/rows/operation.ts"
import { WorkspaceName } from "../contract/rows/workspace-field.ts"
import { table } from "../contract/text/names.ts"
import { typed } from "../contract/text/printable.ts"
import type { Command } from "./commands.ts"
import { shortPath } from "./short-path.ts"

interface Meant {
  /** The option that takes the word. */
  readonly option: string
  readonly isValue?: (word: string) => boolean
}

const name: Meant = { option: "--name", isValue: (word) => Schema.is(WorkspaceName())(word) }

/** Options whose values people type as a second word, by the operation that takes no such word. */
const MEANT = table<Meant | undefined>({
  "workspace.create": name,
  "workspace.fork": name,
  "workspace.patch.apply": { option: "--patch-file" },
  "workspace.reset": { option: "--snapshot" }
})

/** Error text of a word that no argument takes, with the command line that was probably meant. */
export const unexpectedWord = (
  { cli, name }: Command,
  taken: ReadonlyArray<string>,
  [word = "", ...more]: ReadonlyArray<string>
): string => {
  const { path }: CliSurface = cli
  const meant = MEANT[name]
  const hint = meant === undefined || more.length > 0 || meant.isValue?.(word) === false
    ? ""
    : `. A word there is ${meant.option}: ${typed(["pyro", ...shortPath(path), ...taken, meant.option, word])}`
  return `unexpected "${word}"${hint}`
}
