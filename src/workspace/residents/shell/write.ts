import { Deferred, Effect, Option, Semaphore } from "effect"
import { type PyroError, ShellInputBlocked } from "../../../contract/errors/errors.ts"
import type { ShellWritePayload, ShellWriteResult } from "../../../contract/rows/workspace-shell-io.ts"
import type { GuestProcess } from "../../../guest-channel/process.ts"
import { dependsOnMode, keySequence, typedText } from "../../../terminal/keys.ts"
import type { Command } from "../exec/command-registry.ts"
import type { Renderings } from "./renderings.ts"
import type { OpenShell, Shell } from "./shell.ts"

/** Time that a program may take to read more of the input, in ms. */
const BLOCKED_MS = 5_000
/** Input that is written at once, in bytes: the progress of a long input shows in these steps. */
const STEP_BYTES = 16_384

/** The input as it is typed. A caller that means a line must not wait for a program that waits for the line's end. */
const lineOf = ({ input, keys, noNewline }: ShellWritePayload) =>
  noNewline || keys.length > 0 || input === "" || /[\n\r]$/.test(input) ? input : `${input}\n`

/** Bytes of the input and then of the keys. Some keys depend on what the program has asked the terminal for. */
const bytesOf = (renderings: Renderings, shell: Shell, payload: ShellWritePayload) =>
  Effect.gen(function*() {
    const { keys } = payload
    const application = keys.some(dependsOnMode) &&
      (yield* renderings.withScreen(shell, shell.log.position, ({ screen }) => screen.hasApplicationKeys))
    return Buffer.from(typedText(lineOf(payload)) + keys.map((key) => keySequence(key, application)).join(""), "utf8")
  })

/**
 * Types into an open shell. Fails if the program reads nothing for some time, of this input or of another client's before it, with the
 * part that the terminal took.
 */
export const write = (
  { renderings, turns }: { readonly renderings: Renderings; readonly turns: Turns },
  shell: OpenShell,
  payload: ShellWritePayload
): Effect.Effect<ShellWriteResult, PyroError> =>
  Effect.gen(function*() {
    const process = yield* Deferred.await(shell.command.started)
    const bytes = yield* bytesOf(renderings, shell, payload)
    const blocked = (writtenBytes: number) =>
      new ShellInputBlocked({
        workspace: payload.workspace,
        shellId: shell.id,
        writtenBytes,
        inputBytes: bytes.length
      })
    let hasTurn = false
    let isLate = false
    const typed = turns.of(shell.command).take(Effect.suspend(() => {
      // The request has failed already, so its input must not come.
      if (isLate) return Effect.never
      hasTurn = true
      return typeAll(process, shell, bytes, blocked)
    }))
    /** Another client's input comes first, and the program reads none of it. */
    const waitsInVain = Effect.gen(function*() {
      for (let sent = -1; sent !== process.stdinSent();) {
        sent = process.stdinSent()
        yield* Effect.sleep(BLOCKED_MS)
        if (hasTurn) return yield* Effect.never
      }
      isLate = true
      return yield* blocked(0)
    })
    return yield* Effect.raceFirst(typed, waitsInVain)
  })

const typeAll = (
  process: GuestProcess,
  { id, log }: Shell,
  bytes: Uint8Array,
  blocked: (writtenBytes: number) => ShellInputBlocked
) =>
  Effect.gen(function*() {
    const cursor = log.position
    const before = process.stdinSent()
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      const step = process.writeStdin(bytes.subarray(at, at + STEP_BYTES))
      if (Option.isNone(yield* Effect.timeoutOption(step, BLOCKED_MS))) {
        return yield* blocked(process.stdinSent() - before)
      }
    }
    return { shellId: id, writtenBytes: bytes.length, cursor }
  })

/** The turn to type into one shell. */
class Turn {
  readonly #semaphore = Semaphore.makeUnsafe(1)
  #inputs = 0

  /** Whether no input has the turn or waits for the turn. */
  get isFree() {
    return this.#inputs === 0
  }

  /** Waits for the turn. */
  take<A, E, R>(type: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      this.#inputs++
      return Effect.ensuring(this.#semaphore.withPermits(1)(type), Effect.sync(() => this.#inputs--))
    })
  }
}

/** One input after the other, for each shell of a workspace. */
export class Turns {
  readonly #turns = new WeakMap<Command, Turn>()

  of(command: Command): Turn {
    const known = this.#turns.get(command)
    if (known !== undefined) return known
    const made = new Turn()
    this.#turns.set(command, made)
    return made
  }
}
