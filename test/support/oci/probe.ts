import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { TarEntry } from "./tar.ts"

/** A program without libraries, made in a folder, as a file of an image that has nothing else. */
export const programIn = (folder: string, name: string): TarEntry => {
  const file = path.join(folder, name)
  const source = path.join(import.meta.dirname, `../../fixtures/image/${name}.c`)
  execFileSync("gcc", ["-static", "-O2", "-o", file, source])
  return { name, data: fs.readFileSync(file) }
}

/** /probe says how it was started. */
export const probeIn = (folder: string): TarEntry => programIn(folder, "probe")
