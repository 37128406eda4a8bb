import { fstatSync } from "node:fs"
import { isatty } from "node:tty"

/** Device number of /dev/null on Linux: 1, 3. */
const NULL_DEVICE = 0x103

/**
 * Whether stdout and stderr of pyro are one file, pipe or terminal, as after `2>&1`: then the order of a command's output matters. In /dev/null it
 * does not.
 */
export const outputsAreOne = (): boolean => {
  try {
    const [out, error] = [fstatSync(1), fstatSync(2)]
    // Pipes and consoles of Windows have no numbers.
    if (out.ino === 0) return isatty(1) && isatty(2)
    return out.dev === error.dev && out.ino === error.ino && !(out.isCharacterDevice() && out.rdev === NULL_DEVICE)
  } catch {
    return false
  }
}
