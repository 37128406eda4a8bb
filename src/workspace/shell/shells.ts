import { Effect } from "effect"
import type { PyroError } from "../../contract/errors.ts"
import { firstOf } from "../../contract/first-of.ts"
import type { ShellInfo, ShellScreen } from "../../contract/operations/shell-fields.ts"
import type {
  ShellListResult,
  ShellReadPayload,
  ShellWritePayload,
  ShellWriteResult
} from "../../contract/operations/workspace-shell.ts"
import { endRunning } from "../exec/cancel.ts"
import type { Commands } from "../exec/commands.ts"
import { read } from "./read.ts"
import { Renderings } from "./renderings.ts"
import { findShell, type Named, openShell, shellInfo, shellsOf } from "./shell.ts"
import { write } from "./write.ts"

/** Maximum number of shells in a list, and of its bytes. */
const MAX_LISTED = 100
const MAX_LIST_BYTES = 4_194_304

/** The shells of one workspace. A shell is a command with a terminal: its output, its end and its adoption are those of commands. */
export interface Shells {
  readonly list: Effect.Effect<ShellListResult>
  readonly read: (payload: ShellReadPayload) => Effect.Effect<ShellScreen, PyroError>
  readonly write: (payload: ShellWritePayload) => Effect.Effect<ShellWriteResult, PyroError>
  readonly close: (named: Named) => Effect.Effect<ShellInfo, PyroError>
  readonly renderings: Renderings
  /** Number of open shells. */
  readonly count: () => number
}

export const makeShells = (commands: Commands): Shells => {
  const renderings = new Renderings()
  return {
    renderings,
    count: () => shellsOf(commands).filter(({ start }) => commands.running.has(start.id)).length,
    list: Effect.sync(() => {
      const newestFirst = shellsOf(commands).slice(-MAX_LISTED).reverse().map((one) => shellInfo(commands, one))
      return { shells: [...firstOf(newestFirst, { most: MAX_LISTED, maxBytes: MAX_LIST_BYTES })].reverse() }
    }),
    read: (payload) =>
      Effect.flatMap(findShell(commands, payload), (shell) => read({ commands, renderings }, shell, payload)),
    write: (payload) => Effect.flatMap(openShell(commands, payload), (shell) => write(renderings, shell, payload)),
    close: (named) =>
      Effect.flatMap(findShell(commands, named), (shell) => {
        const command = commands.running.get(shell.id)
        const ended = command === undefined ? Effect.void : endRunning(command)
        return Effect.map(ended, () => shellInfo(commands, commands.journal.get(shell.id) ?? shell))
      })
  }
}
