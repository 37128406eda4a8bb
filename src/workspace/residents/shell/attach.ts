import { Deferred, Effect, Option, Stream } from "effect"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import type { RunInput, StdinWriter, WindowSize } from "../../../contract/rows/run-input.ts"
import { SHELL_COLS, SHELL_ROWS } from "../../../contract/rows/shell-fields.ts"
import type { AttachEvent } from "../../../contract/rows/workspace-attach.ts"
import { redactLines } from "../../../lib/redaction/redact.ts"
import { ScreenOnly } from "../../../lib/terminal/screen-only.ts"
import type { ScreenSize } from "../../../lib/terminal/screen.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { clockReader } from "../../../system/waits/time.ts"
import { touchAt } from "../../entry/activity.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import type { Commands } from "../exec/command-registry.ts"
import type { CommandEnd } from "../exec/journal.ts"
import type { CommandFailure } from "../exec/running.ts"
import type { Renderings } from "./renderings.ts"
import { type OpenShell, resize, type Shell } from "./shell.ts"
import type { Turns } from "./write.ts"

/** Maximum output of one batch, in bytes, without the last piece. */
const BATCH_BYTES = 65_536

export interface AttachContext {
  readonly commands: Commands
  readonly renderings: Renderings
  readonly turns: Turns
}

const clamp = (value: number, { from, to }: { readonly from: number; readonly to: number }) =>
  Math.min(to, Math.max(from, value))

/** The nearest size that a shell may have. */
const sizeOf = ({ cols, rows }: WindowSize): ScreenSize => ({
  cols: clamp(cols, SHELL_COLS),
  rows: clamp(rows, SHELL_ROWS)
})

/** Maximum length of a painted screen, in characters: a message has at most 16 MiB. */
const SCREEN_LENGTH = 4_194_304

/**
 * The screen after all output so far. The text has no colours if the program drew a secret piece by piece, or if colours make the screen
 * too long.
 */
const painted = ({ commands, renderings }: AttachContext, shell: Shell) =>
  renderings.withScreen(shell, shell.log.position, ({ position, screen }) => {
    const rows = screen.rows()
    const redacted = redactLines(commands.secrets.set, rows)
    const coloured = redacted === rows ? screen.painted(SCREEN_LENGTH) : undefined
    return { position, screen: coloured ?? redacted.join("\r\n").slice(0, SCREEN_LENGTH) }
  })

/** Minimum time between two notes of the workspace's use, in ms. Each note changes a file. */
const NOTED_EVERY_MS = 1_000

/** Notes typed keys as a use of the workspace. */
const makeUse = (folder: WorkspaceFolder) =>
  Effect.map(clockReader, (clock) => {
    let notedMs = -Infinity
    return () => {
      const nowMs = clock.monotonicMs()
      if (nowMs - notedMs < NOTED_EVERY_MS) return
      notedMs = nowMs
      touchAt(folder, clock.nowMs())
    }
  })

/** Passes the keys of the caller and the size of the caller's terminal to the shell, until the Scope closes. */
const feed = (context: AttachContext, shell: OpenShell, { resizes, stdin, writeStdin }: RunInput) =>
  Effect.gen(function*() {
    const process = yield* Deferred.await(shell.command.started)
    const turn = context.turns.of(shell.command)
    const use = yield* makeUse(context.commands.folder)
    const writer: StdinWriter = {
      tryWrite: (bytes) => {
        if (!turn.isFree || !process.tryWriteStdin(bytes)) return false
        use()
        return true
      },
      write: (bytes) => Effect.andThen(turn.take(process.writeStdin(bytes)), Effect.sync(use))
    }
    const inBackground = <A, E>(work: Effect.Effect<A, E>) => Effect.forkScoped(Effect.ignore(work))
    if (writeStdin !== undefined) yield* inBackground(writeStdin(writer))
    else if (stdin !== undefined) yield* inBackground(Stream.runForEach(stdin, writer.write))
    if (resizes !== undefined) {
      yield* inBackground(
        // On a full disk one size fails, and the next one may succeed.
        Stream.runForEach(
          resizes,
          (size) => Effect.ignore(resize(context.commands, shell, sizeOf(size)))
        )
      )
    }
  })

const endOf = ({ outcome, status }: CommandEnd): AttachEvent => ({
  _tag: "Exited",
  outcome,
  ...(status === undefined ? {} : { status })
})

/**
 * Connects a caller to an open shell: gives its present screen, and then all output that draws on the screen, until the end of the shell.
 * The caller is detached when the Scope closes.
 */
export const attach = (
  context: AttachContext,
  shell: OpenShell,
  asked: Partial<ScreenSize> & { readonly raw?: boolean },
  input: RunInput
) =>
  Effect.gen(function*() {
    const { log } = shell
    if (asked.cols !== undefined || asked.rows !== undefined) {
      yield* resize(context.commands, shell, asked)
    }
    const { position, screen } = yield* painted(context, { ...shell, ...context.commands.journal.get(shell.id) })
    const reader = yield* acquirePlain(Effect.sync(() => log.listen(position)), (one) => one.close())
    yield* feed(context, shell, input)
    const screenOnly = asked.raw === true ? undefined : new ScreenOnly()
    let waiting: Array<AttachEvent> = [{ _tag: "Attached", shellId: shell.id, screen }]
    let isOver = false
    const pull: PullEvents<AttachEvent, CommandFailure> = (waitMs) =>
      Effect.suspend(() => {
        if (isOver) return Effect.fail(Option.none())
        for (let bytes = 0; bytes < BATCH_BYTES;) {
          const piece = reader.next()
          if (piece === undefined) break
          waiting.push({ _tag: "Output", bytes: screenOnly?.pass(piece.bytes) ?? piece.bytes })
          bytes += piece.bytes.length
        }
        if (waiting.length > 0) {
          const events = waiting
          waiting = []
          return Effect.succeed(events)
        }
        if (log.ended) {
          return Effect.mapBoth(Deferred.await(shell.command.end), {
            onFailure: Option.some,
            onSuccess: (end) => {
              isOver = true
              return [endOf(end)]
            }
          })
        }
        return Effect.flatMap(
          log.more(reader.position, waitMs),
          () =>
            waitMs !== undefined && !log.ended && log.position <= reader.position
              ? Effect.succeed([])
              : pull(waitMs)
        )
      })
    return pull
  })
