import { Deferred, Effect, type Scope } from "effect"
import { closeSync, constants, fstatSync, openSync } from "node:fs"
import { isatty } from "node:tty"
import { isWindows } from "../../system/settings/this-computer.ts"

/** Makes the standard pipes blocking again. Node made them non-blocking for all processes that share them, and resets them only at a normal exit. */
const resetPipes = () => {
  for (const [descriptor, stream] of [() => process.stdin, () => process.stdout, () => process.stderr].entries()) {
    try {
      const stat = fstatSync(descriptor)
      if (!stat.isFIFO() && !stat.isSocket()) continue
      const { _handle: handle } = stream() as { readonly _handle?: { readonly setBlocking?: (on: boolean) => void } }
      handle?.setBlocking?.(true)
    } catch {
      // The descriptor is closed.
    }
  }
}

/**
 * Lets the process die of this signal at its exit, after all other listeners of the exit. A shell ends the loop around a command that died
 * of SIGINT, but continues after the status 130. If the signal does not kill, as in the first process of a container, the status remains.
 */
export const dieAtExit = (signal: string): void => {
  // Windows has no signals: `kill` would end the process with another status.
  if (isWindows()) return
  process.once("exit", () => {
    resetPipes()
    // Without listeners the signal has its default action again.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

const STANDARD = [0, 1, 2]

/**
 * Replaces a terminal that has hung up by /dev/null, at the process's end. At exit, Node restores the modes of the terminals that it started
 * with, and aborts if that fails (`ResetStdio` in its src/node.cc). It ignores descriptors that have become
 * other files.
 */
export const forgetLostTerminal = (): void => {
  // A console of Windows does not hang up.
  if (isWindows()) return
  for (const descriptor of STANDARD) {
    try {
      // A terminal that has hung up is still a character device, but without modes.
      if (isatty(descriptor) || !fstatSync(descriptor).isCharacterDevice()) continue
      closeSync(descriptor)
      // Opens the lowest free descriptor, which is the closed one.
      openSync("/dev/null", constants.O_RDWR)
    } catch {
      // It was closed already.
    }
  }
}

/** Receiver of the process's next signal. */
let receiver: Deferred.Deferred<void> | undefined

/** Intercepts the first signal until the Scope closes. The inner effect ends with the signal. */
export const interceptSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => receiver = Deferred.makeUnsafe<void>()),
    () => Effect.sync(() => receiver = undefined)
  ),
  Deferred.await
)

export const isSignalIntercepted = (): boolean => receiver !== undefined

/** Delivers a signal to its receiver, once. False if there is none. */
export const deliverSignal = (): boolean => {
  const current = receiver
  if (current === undefined) return false
  receiver = undefined
  Deferred.doneUnsafe(current, Effect.void)
  return true
}
