import { join } from "node:path"
import { packageRoot } from "../../../../system/processes/native.ts"

/** File with the dial process's program. A built pyro names the file of its own build (scripts/build/dial-program.mjs). */
export const dialProgramFile = (): string => join(packageRoot(), "dist", "dial.cjs")
