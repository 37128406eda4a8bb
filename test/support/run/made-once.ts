import * as fs from "node:fs"
import * as path from "node:path"
import { inject } from "vitest"

/** The folder of a name, if a file of this run has finished it. */
const finished = (name: string) => {
  const folder = path.join(inject("made"), name)
  return fs.existsSync(folder) ? folder : undefined
}

const begin = () => fs.mkdtempSync(path.join(inject("made"), "making-"))

/** Files that begin together may make a folder twice. The first to end gives all of them theirs. */
const finish = (name: string, own: string) => {
  const folder = path.join(inject("made"), name)
  try {
    fs.renameSync(own, folder)
  } catch (cause) {
    if (!["ENOTEMPTY", "EEXIST"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause
    fs.rmSync(own, { recursive: true })
  }
  return folder
}

/** A folder that one file of a run makes, for all files of the run. None of them may write to the folder. */
export const madeOnce = async (name: string, make: (folder: string) => Promise<unknown>): Promise<string> => {
  const found = finished(name)
  if (found !== undefined) return found
  const own = begin()
  await make(own)
  return finish(name, own)
}

/** The same of what a program makes while the file waits. */
export const madeOnceSync = (name: string, make: (folder: string) => void): string => {
  const found = finished(name)
  if (found !== undefined) return found
  const own = begin()
  make(own)
  return finish(name, own)
}
