import { Deferred, Effect, Option } from "effect"
import { type PyroError, ShellInputBlocked } from "../../contract/errors.ts"
import type { ShellWritePayload, ShellWriteResult } from "../../contract/operations/workspace-shell-write.ts"
import { dependsOnMode, keySequence, typedText } from "../../terminal/keys.ts"
import type { Command } from "../exec/commands.ts"
import type { Renderings } from "./renderings.ts"
import type { Shell } from "./shell.ts"

/** Time that a program may take to read more of the input, in ms. */
const BLOCKED_MS = 5_000
/** Input that is written at once, in bytes: the progress of a long input shows in these steps. */
const STEP_BYTES = 16_384

/** One input after the other, for each shell. */
const turns = new WeakMap<Command, Effect.Semaphore>()

export const turnOf = (command: Command): Effect.Semaphore => {
  const known = turns.get(command)
  if (known !== undefined) return known
  const made = Effect.unsafeMakeSemaphore(1)
  turns.set(command, made)
  return made
}

/** Bytes of the input and then of the keys. Some keys depend on what the program has asked the terminal for. */
const bytesOf = (renderings: Renderings, shell: Shell, { input, keys }: ShellWritePayload) =>
  Effect.gen(function*() {
    const application = keys.some(dependsOnMode) &&
      (yield* renderings.withScreen(shell, shell.log.position, ({ screen }) => screen.hasApplicationKeys))
    return Buffer.from(typedText(input) + keys.map((key) => keySequence(key, application)).join(""), "utf8")
  })

/** Types into an open shell. Fails if the program reads nothing for some time, with the part that the terminal took. */
export const write = (
  renderings: Renderings,
  shell: Shell & { readonly command: Command },
  payload: ShellWritePayload
): Effect.Effect<ShellWriteResult, PyroError> =>
  Effect.gen(function*() {
    const process = yield* Deferred.await(shell.command.started)
    const bytes = yield* bytesOf(renderings, shell, payload)
    return yield* turnOf(shell.command).withPermits(1)(Effect.gen(function*() {
      const cursor = shell.log.position
      const before = process.stdinSent()
      for (let at = 0; at < bytes.length; at += STEP_BYTES) {
        const step = process.writeStdin(bytes.subarray(at, at + STEP_BYTES))
        if (Option.isNone(yield* Effect.timeoutOption(step, BLOCKED_MS))) {
          return yield* new ShellInputBlocked({
            workspace: payload.workspace,
            shellId: shell.id,
            writtenBytes: process.stdinSent() - before,
            inputBytes: bytes.length
          })
        }
      }
      return { shellId: shell.id, writtenBytes: bytes.length, cursor }
    }))
  })
