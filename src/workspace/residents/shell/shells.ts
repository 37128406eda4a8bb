import { Deferred, Effect, type Scope } from "effect"
import { ChannelFailed, InvalidRequest, TooManyShells } from "../../../contract/errors/errors.ts"
import { DEFAULT_GRACE_SECONDS } from "../../../contract/rows/command.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import { MAX_OPEN_SHELLS } from "../../../contract/rows/shell-fields.ts"
import type { AttachPayload } from "../../../contract/rows/workspace-attach.ts"
import type { ShellReadPayload, ShellWritePayload } from "../../../contract/rows/workspace-shell-io.ts"
import type {
  ShellOpenPayload,
  ShellResizePayload,
  ShellSignalPayload
} from "../../../contract/rows/workspace-shell.ts"
import { firstOf } from "../../../contract/text/first-of.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import type { NewEvent } from "../../entry/events.ts"
import { endRunning } from "../exec/cancel.ts"
import type { Commands } from "../exec/command-registry.ts"
import type { JournaledCommand } from "../exec/journal.ts"
import type { Command, Running } from "../exec/running.ts"
import { programOf } from "../program/command.ts"
import { attach } from "./attach.ts"
import { read } from "./read.ts"
import { Renderings } from "./renderings.ts"
import { findShell, openShell, resize, shellInfo, type ShellRef, shellsOf } from "./shell.ts"
import { Turns, write } from "./write.ts"

/** Starts a program on a terminal, and waits until the guest has started it: a program that cannot start leaves no shell. */
const startProgram = (
  commands: Commands,
  generation: Running & { readonly memoryMib: number },
  payload: ShellOpenPayload,
  execId: string
) =>
  Effect.gen(function*() {
    yield* commands.start(
      generation,
      { ...payload, execId, tty: true, detach: true, graceSeconds: DEFAULT_GRACE_SECONDS, maxBytes: 0 },
      {},
      { _tag: "shell" }
    )
    const command = commands.running.get(execId)
    if (command === undefined) return yield* new ChannelFailed({ detail: "the shell's microVM has just ended" })
    yield* Deferred.await(command.started)
    return command
  })

/** Maximum number of shells in a list, which has all open ones, and maximum size of the list in bytes. */
const MAX_LISTED = MAX_OPEN_SHELLS
const MAX_LIST_BYTES = 4_194_304

/** The shells of one workspace. A shell is a command with a terminal: commands have its output, its end and its adoption. */
export type Shells = ReturnType<typeof makeShells>

export const makeShells = (commands: Commands, record: (event: NewEvent) => Effect.Effect<void>) => {
  const renderings = new Renderings()
  const turns = new Turns()
  let attached = 0
  /** Shells that are being opened. */
  const opening = new Set<string>()
  const isOpen = ({ start }: JournaledCommand) => commands.running.has(start.id)
  const count = () => shellsOf(commands).filter(isOpen).length
  const isFull = () => count() + [...opening].filter((id) => !commands.running.has(id)).length >= MAX_OPEN_SHELLS
  const infoOf = (shell: JournaledCommand) => shellInfo(commands, commands.journal.get(shell.start.id) ?? shell)

  /** Records the end of a shell, whatever ended it. If the VM ends with the shell, the VM's own event records that. */
  const recordEnd = (command: Command, scope: Scope.Scope) =>
    Deferred.await(command.end).pipe(
      Effect.flatMap(({ outcome }) => record({ _tag: "shell_closed", shellId: command.id, outcome })),
      Effect.ignore,
      Effect.forkIn(scope),
      Effect.asVoid
    )

  return {
    renderings,
    /** Number of open shells. Shells of a paused workspace are paused with it. */
    count: () => shellsOf(commands).filter(({ end }) => end === undefined).length,
    /** Records the ends of the shells that run in an adopted VM. */
    adopt: ({ scope }: { readonly scope: Scope.Scope }) =>
      Effect.forEach(shellsOf(commands), ({ start }) => {
        const command = commands.running.get(start.id)
        return command === undefined ? Effect.void : recordEnd(command, scope)
      }, { discard: true }),
    open: (generation: Running & { readonly memoryMib: number }, payload: ShellOpenPayload) =>
      Effect.gen(function*() {
        if (isFull()) {
          return yield* new TooManyShells({ workspace: payload.workspace, maxShells: MAX_OPEN_SHELLS })
        }
        const command = yield* Effect.acquireUseRelease(
          Effect.sync(() => {
            const id = newRequestId()
            opening.add(id)
            return id
          }),
          (id) => startProgram(commands, generation, payload, id),
          (id) => Effect.sync(() => opening.delete(id))
        )
        const shell = commands.journal.get(command.id)!
        yield* record({
          _tag: "shell_opened",
          shellId: command.id,
          command: programOf(shell.start.command)
        })
        yield* recordEnd(command, generation.scope)
        return infoOf(shell)
      }),
    list: Effect.sync(() => {
      const all = shellsOf(commands)
      let ended = Math.max(0, MAX_LISTED - count())
      const newestFirst = all.toReversed().filter((shell) => isOpen(shell) || ended-- > 0).map(infoOf)
      return { shells: [...firstOf(newestFirst, { most: MAX_LISTED, maxBytes: MAX_LIST_BYTES })].reverse() }
    }),
    read: (payload: ShellReadPayload) =>
      Effect.flatMap(findShell(commands, payload), (shell) => read({ commands, renderings }, shell, payload)),
    write: (payload: ShellWritePayload) =>
      Effect.flatMap(openShell(commands, payload), (shell) => write({ renderings, turns }, shell, payload)),
    /** Whether a caller is attached to a shell. */
    isAttached: () => attached > 0,
    /** Connects a caller to the shell, until the Scope closes. */
    attach: ({ cols, raw, rows, shellId, workspace }: AttachPayload, input: RunInput) =>
      Effect.gen(function*() {
        if (shellId === undefined) return yield* new InvalidRequest({ field: "shell_id", detail: "is missing" })
        const shell = yield* openShell(commands, { workspace, shellId })
        yield* acquirePlain(Effect.sync(() => void attached++), () => void attached--)
        const size = { ...(cols === undefined ? {} : { cols }), ...(rows === undefined ? {} : { rows }) }
        return yield* attach({ commands, renderings, turns }, shell, { ...size, raw }, input)
      }),
    resize: (payload: ShellResizePayload) =>
      Effect.flatMap(
        openShell(commands, payload),
        (shell) => Effect.map(resize(commands, shell, payload), () => infoOf(shell))
      ),
    /** Signals the group in the foreground of the terminal. */
    signal: (payload: ShellSignalPayload) =>
      Effect.flatMap(
        openShell(commands, payload),
        (shell) =>
          Effect.flatMap(Deferred.await(shell.command.started), (process) =>
            Effect.map(process.signal(payload.signal, "group"), () => infoOf(shell)))
      ),
    close: (named: ShellRef) =>
      Effect.flatMap(findShell(commands, named), (shell) => {
        const command = commands.running.get(shell.id)
        const ended = command === undefined ? Effect.void : endRunning(command)
        return Effect.map(ended, () => infoOf(shell))
      })
  }
}
