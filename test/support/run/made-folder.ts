import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of what the files of one run make once: madeOnce() of made-once.ts. */
    readonly made: string
  }
}

/** Makes the folder at the start of a run and removes it at the end. The next run of a vitest that watches makes all of it anew. */
export default (project: TestProject) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-made-"))
  const remove = () => fs.rmSync(folder, { recursive: true, force: true })
  project.provide("made", folder)
  project.onTestsRerun(async () => {
    remove()
    fs.mkdirSync(folder, { mode: 0o700 })
  })
  return remove
}
