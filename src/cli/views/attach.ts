import { Deferred, Effect, Scope, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { SHELL_COLS, SHELL_ROWS } from "../../contract/rows/shell-fields.ts"
import type { AttachPayload, AttachResult } from "../../contract/rows/workspace-attach.ts"
import { warn } from "../output/print.ts"
import { makeTerminalInput, screenSwitches } from "../terminal/screen.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"

/** Maximum attempts in a row to reach the next daemon, and the step of the wait between them, in ms. */
const MOST_LOST = 6
const BETWEEN_MS = 100

const NEWLINE = 0x0a

const CLEAR = "\u001b[!p\u001b[2J\u001b[H"

const fit = (value: number, { from, to }: { readonly from: number; readonly to: number }) =>
  Math.min(to, Math.max(from, value))

/** Connects this terminal to a shell until its end or the detach key. The outcome of a detached shell is `running`. */
export const performAttach = (
  pyro: PyroService,
  payload: AttachPayload,
  json: boolean
): Effect.Effect<AttachResult, PyroError | OutputClosed, Terminal> => {
  /** The shell's output ends with a newline. */
  let isLineEnded = true
  return Effect.scoped(Effect.gen(function*() {
    const terminal = yield* Terminal
    if (json) return yield* new InvalidRequest({ field: "--json", detail: "cannot be combined with a terminal" })
    if (!terminal.stdinIsTerminal || !terminal.stdoutIsTerminal) {
      return yield* new InvalidRequest({
        field: "",
        detail: `needs stdin and stdout to be a terminal. Without one: ${
          payload.shellId === undefined
            ? `pyro shell open ${payload.workspace}`
            : `pyro shell read ${payload.workspace} ${payload.shellId} --plain`
        }`
      })
    }
    const window = yield* terminal.size
    const size = { cols: fit(window.cols, SHELL_COLS), rows: fit(window.rows, SHELL_ROWS) }
    const { workspace } = payload
    const shellId = payload.shellId ?? (yield* openFor(pyro, workspace, size, terminal.type))
    const detached = yield* Deferred.make<void>()
    const { input, start } = yield* makeTerminalInput(keysUntil(terminal.stdin, payload.detachKey, detached))
    let result: AttachResult = { shellId, outcome: "running" }
    let losses = 0
    let hasBegun = false
    let noteSwitch = (_: Uint8Array) => {}
    const begin = Effect.gen(function*() {
      hasBegun = true
      noteSwitch = screenSwitches(yield* terminal.guard)
      yield* start
    })
    const scope = yield* Effect.scope
    const once = Effect.suspend(() =>
      Stream.runForEach(
        pyro.workspace.shell.attach({ ...payload, ...size, shellId }, input),
        (event) =>
          Effect.gen(function*() {
            switch (event._tag) {
              case "Attached": {
                losses = 0
                const isFirst = !hasBegun
                result = { ...result, shellId: event.shellId }
                if (isFirst) yield* Effect.provideService(begin, Scope.Scope, scope)
                noteSwitch(Buffer.from(event.screen, "latin1"))
                isLineEnded = false
                yield* terminal.writeStdout(CLEAR + event.screen)
                if (isFirst && terminal.stderrIsTerminal) {
                  yield* terminal.writeStderr(detachHint(payload.detachKey, size.cols))
                }
                return
              }
              case "Output":
                noteSwitch(event.bytes)
                if (event.bytes.length > 0) isLineEnded = event.bytes.at(-1) === NEWLINE
                return yield* terminal.writeStdout(event.bytes)
              case "Exited": {
                const { _tag, ...how } = event
                result = { ...result, ...how }
                return
              }
              case "Notice":
                return
            }
          })
      )
    )
    /** The next daemon also has the shell. */
    const untilEnd: Effect.Effect<void, PyroError | OutputClosed> = Effect.catchTag(
      once,
      "DaemonUnavailable",
      (failure) =>
        ++losses > MOST_LOST || !hasBegun
          ? Effect.fail(failure)
          : Effect.andThen(Effect.sleep(BETWEEN_MS * losses), untilEnd)
    )
    yield* Effect.raceFirst(untilEnd, Deferred.await(detached))
    return result
  })).pipe(
    Effect.onExit(() => isLineEnded ? Effect.void : warn("\n")),
    Effect.tap(({ outcome, shellId }) =>
      warn(
        outcome === "running"
          ? `pyro: detached; the shell goes on. Return: pyro attach ${payload.workspace} ${shellId.slice(0, 8)}\n`
          : ""
      )
    )
  )
}

const openFor = (
  pyro: PyroService,
  workspace: string,
  size: { readonly cols: number; readonly rows: number },
  type: string | undefined
) =>
  Effect.map(
    pyro.workspace.shell.open({
      workspace,
      command: [],
      env: type === undefined ? {} : { TERM: type },
      ...size
    }),
    ({ shellId }) => shellId
  )

/** Keys before the detach key. The detach key completes `detached`. */
const keysUntil = (keys: Stream.Stream<Uint8Array>, detachKey: string, detached: Deferred.Deferred<void>) => {
  if (detachKey === "none") return keys
  const code = detachKey.toUpperCase().charCodeAt("ctrl-".length) & 0x1f
  return keys.pipe(
    Stream.mapEffect((bytes) => {
      const at = bytes.indexOf(code)
      return at < 0
        ? Effect.succeed(bytes)
        : Effect.as(Deferred.succeed(detached, undefined), bytes.subarray(0, at))
    }),
    Stream.takeUntilEffect(() => Deferred.isDone(detached))
  )
}

/**
 * Shows the detach key at the right end of the top line, away from a prompt on a fresh screen, and keeps the cursor. The
 * program may draw over the text. Empty if the terminal is too narrow or there is no key.
 */
const detachHint = (detachKey: string, cols: number): string => {
  const text = ` ${detachKey} detaches `
  return detachKey === "none" || cols < 3 * text.length
    ? ""
    : `\u001b7\u001b[1;${cols - text.length + 1}H\u001b[0;7m${text}\u001b[0m\u001b8`
}
