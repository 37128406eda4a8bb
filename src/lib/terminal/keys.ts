import { table } from "../../contract/text/names.ts"

/** Keys whose sequence depends on the mode of the terminal: the letter after `ESC [`, or `ESC O` in application mode. */
const MOVING = table({ up: "A", down: "B", right: "C", left: "D", home: "H", end: "F" })

const FIXED = table({
  "enter": "\r",
  "tab": "\t",
  "escape": "\u001b",
  "backspace": "\u007f",
  "delete": "\u001b[3~",
  "page-up": "\u001b[5~",
  "page-down": "\u001b[6~",
  "f1": "\u001bOP",
  "f2": "\u001bOQ",
  "f3": "\u001bOR",
  "f4": "\u001bOS",
  "f5": "\u001b[15~",
  "f6": "\u001b[17~",
  "f7": "\u001b[18~",
  "f8": "\u001b[19~",
  "f9": "\u001b[20~",
  "f10": "\u001b[21~",
  "f11": "\u001b[23~",
  "f12": "\u001b[24~"
})

/** Whether the bytes of a key depend on the mode of the terminal. */
export const dependsOnMode = (key: string): boolean => key in MOVING

/** Bytes that a key sends, as xterm sends them. `application`: the program has asked for application cursor keys. */
export const keySequence = (key: string, application: boolean): string => {
  const moving = MOVING[key]
  if (moving !== undefined) return `\u001b${application ? "O" : "["}${moving}`
  const fixed = FIXED[key]
  if (fixed !== undefined) return fixed
  // Control and a letter: the letter's place in the alphabet.
  return String.fromCharCode(key.charCodeAt("ctrl-".length) & 0x1f)
}

/** Text as a terminal sends typed or pasted text: each line ends as with Enter. */
export const typedText = (text: string): string => text.replace(/\r?\n/g, "\r")
