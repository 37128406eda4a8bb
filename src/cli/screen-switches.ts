/** Private modes of a terminal that a program sets or resets, one or several at a time. */
const MODES = /\u001b\[\?([\d;]{1,64})([hl])/g
/** Longest part of a sequence that may be cut off. */
const MODES_LENGTH = 67
/** The screen of full-screen programs. */
const ALTERNATE = new Set([47, 1047, 1049])

/** Follows which of the terminal's two screens a program uses. */
export const screenSwitches = (note: (isAlternate: boolean) => void) => {
  let rest = ""
  return (bytes: Uint8Array) => {
    const text = rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    const last = [...text.matchAll(MODES)]
      .filter(([, modes = ""]) => modes.split(";").some((mode) => ALTERNATE.has(Number(mode))))
      .at(-1)
    if (last !== undefined) note(last[2] === "h")
    rest = text.slice(-MODES_LENGTH)
  }
}
