import { fstatSync } from "node:fs"

/** Node has made the pipes among its standard streams non-blocking; others hold the same pipes, and Node resets them only when it exits. */
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
 * Makes the process's exit a death by this signal, after all other listeners of the exit. A shell ends the loop around a command that died
 * of SIGINT; it goes on after the status 130. Where the signal does not kill, as in the first process of a container, the status remains.
 */
export const dieAtExit = (signal: string): void => {
  process.once("exit", () => {
    resetPipes()
    // Without listeners the signal has its default action again.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
