/** The terminal emulator, in a module of its own: bundled apart, and loaded when a screen is first needed. */
import { SerializeAddon } from "@xterm/addon-serialize"
import headless from "@xterm/headless"

export { widths } from "./widths.ts"
export { SerializeAddon }
export const { Terminal } = headless
