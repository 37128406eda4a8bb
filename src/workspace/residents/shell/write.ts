import { Deferred, Effect, Option, Semaphore } from "effect"
import { ShellInputBlocked } from "../../../contract/errors/errors.ts"
import type { ShellWritePayload } from "../../../contract/rows/workspace-shell-io.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import { dependsOnMode, keySequence, typedText } from "../../../lib/terminal/keys.ts"
import type { Command } from "../exec/running.ts"
import type { Renderings } from "./renderings.ts"
import type { OpenShell, Shell } from "./shell.ts"

/** Maximum time until a program reads more of the input, in ms. */
const BLOCKED_MS = 5_000
/** Number of bytes of one write. The steps show the progress of a long input. */
const STEP_BYTES = 16_384

/** The input with the newline that the caller left out. Otherwise the program would wait for the end of the line. */
const lineOf = ({ input, keys, noNewline }: ShellWritePayload) =>
  noNewline || keys.length > 0 || input === "" || /[\n\r]$/.test(input) ? input : `${input}\n`

/** Bytes of the input and then of the keys. The bytes of some keys depend on a mode of the terminal that the program sets. */
const bytesOf = (renderings: Renderings, shell: Shell, payload: ShellWritePayload) =>
  Effect.gen(function*() {
    const { keys } = payload
    const application = keys.some(dependsOnMode) &&
      (yield* renderings.withScreen(shell, shell.log.position, ({ screen }) => screen.hasApplicationKeys))
    return Buffer.from(typedText(lineOf(payload)) + keys.map((key) => keySequence(key, application)).join(""), "utf8")
  })

/**
 * Types into an open shell. If the program reads nothing for some time, of this input or of another client's before it, the request fails
 * with the number of bytes that the terminal took.
 */
export const write = (
  { renderings, turns }: { readonly renderings: Renderings; readonly turns: Turns },
  shell: OpenShell,
  payload: ShellWritePayload
) =>
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
      // The request has already failed, so the program must not get its input.
      if (isLate) return Effect.never
      hasTurn = true
      return typeAll(process, shell, bytes, blocked)
    }))
    /** Fails if the program reads nothing of another client's input, which comes first. */
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

/** A queue of inputs for one shell. */
class Turn {
  readonly #semaphore = Semaphore.makeUnsafe(1)
  #inputs = 0

  /** Whether no input is in progress or waits. */
  get isFree() {
    return this.#inputs === 0
  }

  /** Waits for the inputs before it, and then types. */
  take<A, E, R>(type: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      this.#inputs++
      return Effect.ensuring(this.#semaphore.withPermits(1)(type), Effect.sync(() => this.#inputs--))
    })
  }
}

/** Ensures that each shell of a workspace gets one input at a time. */
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
