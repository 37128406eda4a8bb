import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packageRoot } from "../../../../system/processes/native.ts"

let text: string | undefined

/**
 * Text of the dial process's program, which the build makes of `dialer/main.ts`. It is read once, so that a daemon whose package is replaced
 * keeps its own.
 */
export const dialProgram = (): string => text ??= readFileSync(join(packageRoot(), "dist", "dial.cjs"), "utf8")
