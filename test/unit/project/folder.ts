import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { onTestFinished } from "vitest"

/** A directory with these files, until the test ends. */
export const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "pyro-project-")))
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return folder
}
