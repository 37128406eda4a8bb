import { printable } from "../../../contract/text/printable.ts"

/** End of a serial console's output, with newlines as line ends and all other cursor movements escaped. */
export const consoleText = (text: string) =>
  printable(
    text.slice(-8192).replace(/[\r\n]*\n[\r\n]*/g, (end) => "\n".repeat(end.split("\n").length - 1)).replace(/\r$/, "")
  )

/** Last output of a kernel that panicked. */
export const panicIn = (text: string): string | undefined => /Kernel panic[^\n]*/.exec(text)?.[0]
