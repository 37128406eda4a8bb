import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { TarEntry } from "./tar.ts"

/** Programs where there is no compiler: the lab's machine has some on its disk. */
const builtIn = path.join(os.homedir(), ".lab")

/** A program without libraries, made in a folder, as a file of an image that has nothing else. */
export const programIn = (folder: string, name: string): TarEntry => {
  const built = path.join(builtIn, name)
  if (fs.existsSync(built)) return { name, data: fs.readFileSync(built) }
  const file = path.join(folder, name)
  const source = path.join(import.meta.dirname, `../../fixtures/image/${name}.c`)
  execFileSync("gcc", ["-static", "-O2", "-o", file, source])
  return { name, data: fs.readFileSync(file) }
}

/** /probe says how it was started. */
export const probeIn = (folder: string): TarEntry => programIn(folder, "probe")
