import { readFileSync } from "node:fs"
import { dialProgramFile } from "./program-file.ts"

let text: string | undefined

/** Text of the dial process's program, the bundle of `process.ts`. It is read once, so that a daemon whose package is replaced keeps its own. */
export const dialProgram = (): string => text ??= readFileSync(dialProgramFile(), "utf8")
