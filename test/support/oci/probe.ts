import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { TarEntry } from "./tar.ts"

/** A program without libraries, made in a folder, as /probe of an image that has nothing else. It says how it was started. */
export const probeIn = (folder: string): TarEntry => {
  const file = path.join(folder, "probe")
  const source = path.join(import.meta.dirname, "../../fixtures/image/probe.c")
  execFileSync("gcc", ["-static", "-O2", "-o", file, source])
  return { name: "probe", data: fs.readFileSync(file) }
}
