import * as fs from "node:fs"
import * as path from "node:path"

/** Writes files into a directory, with the directories above them, and gives the directory. */
export const writeTree = (directory: string, files: Readonly<Record<string, string>>) => {
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
    fs.writeFileSync(path.join(directory, file), text)
  }
  return directory
}
