import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packageRoot } from "../../system/native.ts"

/**
 * Text of the dial process's program, the bundle of `process.ts`. A built pyro has the text inside (scripts/build/dial-program.mjs), so
 * that a daemon whose package is replaced goes on with its own; sources and the library read the file of the build.
 */
export const dialProgram = (): string => readFileSync(join(packageRoot(), "dist", "dial.cjs"), "utf8")
