import { Deferred, Effect } from "effect"
import { type IdAmbiguous, ShellEnded, ShellNotFound } from "../../../contract/errors/errors.ts"
import type { ShellInfo } from "../../../contract/rows/shell-fields.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import type { ScreenSize } from "../../../lib/terminal/screen.ts"
import { begunBy, onlyOne } from "../../entry/prefix.ts"
import type { Commands } from "../exec/command-registry.ts"
import type { JournaledCommand } from "../exec/journal.ts"
import { type Command, journaled } from "../exec/running.ts"

/** A shell in a request. */
export interface ShellRef {
  readonly workspace: string
  readonly shellId: string
}

/** A shell of the journal: open, or ended with its output. */
export interface Shell extends JournaledCommand {
  readonly id: string
  readonly log: CommandLog
}

/** A shell whose program runs. */
export type OpenShell = Shell & { readonly command: Command }

export const shellsOf = ({ journal }: Commands): ReadonlyArray<JournaledCommand> =>
  journal.commands.filter(({ start }) => start.role?._tag === "shell")

/** The shell that a request names by its id, or by the first digits of the id. */
export const findShell = (
  commands: Commands,
  { shellId, workspace }: ShellRef
): Effect.Effect<Shell, IdAmbiguous | ShellNotFound> =>
  Effect.gen(function*() {
    const shells = shellsOf(commands)
    const id = yield* onlyOne("shell", shellId, begunBy(shellId, shells.map(({ start }) => start.id)))
    const known = id === undefined ? undefined : commands.journal.get(id)
    const log = id === undefined ? undefined : commands.logs.get(id)
    if (id === undefined || known === undefined || log === undefined) {
      return yield* new ShellNotFound({ workspace, shellId })
    }
    return { id, log, ...known }
  })

const endText = ({ end }: JournaledCommand) =>
  end === undefined
    ? "its microVM ended"
    : end.outcome === "lost"
    ? "its microVM ended first"
    : `its program ${end.outcome.replaceAll("_", " ")}, status ${end.status ?? 0}`

/** The open shell of a request. */
export const openShell = (
  commands: Commands,
  named: ShellRef
): Effect.Effect<OpenShell, IdAmbiguous | ShellEnded | ShellNotFound> =>
  Effect.flatMap(findShell(commands, named), (shell) => {
    const command = commands.running.get(shell.id)
    return command === undefined
      ? new ShellEnded({ workspace: named.workspace, shellId: shell.id, detail: endText(shell) })
      : Effect.succeed({ ...shell, command })
  })

const DEFAULT_SIZE = { cols: 80, rows: 24 }

export const sizesOf = ({ start }: JournaledCommand) => start.sizes ?? [{ at: 0, ...DEFAULT_SIZE }]

export const shellInfo = (commands: Commands, shell: JournaledCommand): ShellInfo => {
  const { end, start } = shell
  const { cols, rows } = sizesOf(shell).at(-1) ?? DEFAULT_SIZE
  return {
    shellId: start.id,
    command: start.command,
    startedAt: start.startedAt,
    outcome: end?.outcome ?? "running",
    ...(end?.status === undefined ? {} : { status: end.status }),
    cols,
    rows,
    outputBytes: commands.logs.get(start.id)?.position ?? 0,
    ...(start.inherited === undefined ? {} : { inherited: start.inherited })
  }
}

/** Changes the size of an open shell's terminal: first in the journal, for renderings of later output, and then in the guest. */
export const resize = (
  commands: Commands,
  shell: OpenShell,
  asked: Partial<ScreenSize>
) =>
  Effect.gen(function*() {
    const process = yield* Deferred.await(shell.command.started)
    // The caller's copy of the record may lack earlier changes of the size.
    const last = sizesOf(commands.journal.get(shell.id) ?? shell).at(-1)!
    const { cols = last.cols, rows = last.rows } = asked
    if (last.cols !== cols || last.rows !== rows) {
      const size = { at: shell.log.position, cols, rows }
      yield* journaled(commands.folder, () => commands.journal.resized(shell.id, size))
    }
    yield* process.resize({ cols, rows })
  })
