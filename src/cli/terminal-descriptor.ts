import { closeSync, constants, openSync } from "node:fs"

/**
 * Gives a descriptor of the terminal at stdin for the stdio of a child process. libuv makes the descriptors 0 to 2 of a child blocking, and a
 * child that inherited stdin would make this process's stdin blocking too: a read that finds nothing would then stop the event loop.
 * A terminal that cannot be opened, as another user's, is inherited.
 */
export const withTerminal = <A>(use: (terminal: number | "inherit") => A): A => {
  let descriptor: number
  try {
    descriptor = openSync("/proc/self/fd/0", constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    return use("inherit")
  }
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
