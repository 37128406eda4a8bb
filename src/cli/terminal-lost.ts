import { closeSync, constants, fstatSync, openSync } from "node:fs"
import { isatty } from "node:tty"

const STANDARD = [0, 1, 2]

/**
 * Puts /dev/null in the place of a terminal that has hung up, at the process's end. Node sets the modes of the terminals that it started
 * with back when it exits, and aborts where that fails (`ResetStdio` in its src/node.cc); descriptors that are others by then it
 * leaves alone.
 */
export const forgetLostTerminal = (): void => {
  for (const descriptor of STANDARD) {
    try {
      // One that has hung up is a device still, though none with modes.
      if (isatty(descriptor) || !fstatSync(descriptor).isCharacterDevice()) continue
      closeSync(descriptor)
      // The lowest that is free: the same.
      openSync("/dev/null", constants.O_RDWR)
    } catch {
      // It was closed already.
    }
  }
}
