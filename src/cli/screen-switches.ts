/** Switches to and from the screen of full-screen programs. */
const SWITCH = /\u001b\[\?(?:47|1047|1049)([hl])/g
/** Longest part of a switch that may be cut off. */
const SWITCH_LENGTH = 8

/** Follows which of the terminal's two screens a program uses. */
export const screenSwitches = (note: (isAlternate: boolean) => void) => {
  let rest = ""
  return (bytes: Uint8Array) => {
    const text = rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    const last = [...text.matchAll(SWITCH)].at(-1)
    if (last !== undefined) note(last[1] === "h")
    rest = text.slice(-SWITCH_LENGTH)
  }
}
