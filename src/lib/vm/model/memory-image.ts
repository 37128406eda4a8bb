import * as fs from "node:fs"
import * as path from "node:path"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { hostBootId } from "../../../system/processes/identity.ts"

/**
 * A captured memory is one file, or a file with diffs beside it: `mem`, `mem.1`, `mem.2`. A diff is a sparse file with the pages that the
 * guest wrote since the one before. None of these files is ever changed.
 */
export const diffName = (memoryPath: string, number: number) => `${memoryPath}.${number}`

/** The diffs of a memory, oldest first. After a removal that was cut short, the numbers begin later. */
export const diffsOf = (memoryPath: string): ReadonlyArray<string> => {
  const prefix = `${path.basename(memoryPath)}.`
  const numbers = fs.readdirSync(path.dirname(memoryPath)).flatMap((name) => {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : ""
    return /^[1-9]\d{0,5}$/.test(number) ? [Number(number)] : []
  })
  return numbers.sort((a, b) => a - b).map((number) => diffName(memoryPath, number))
}

/** Number of the last diff, 0 without diffs. */
export const lastDiff = (memoryPath: string): number => Number(diffsOf(memoryPath).at(-1)?.split(".").at(-1) ?? 0)

/**
 * Name of the whole image of a memory that has diffs. Made for the first VM that continues from the memory, and shared by the later ones.
 * It is not durable, so another boot of the host does not use it.
 */
export const wholeName = (memoryPath: string) => `${memoryPath}.whole-${hostBootId().slice(0, 8)}`

/** The files of a captured memory that exist: its image, its diffs, and whole images that were made of them. */
export const memoryFiles = (memoryPath: string): ReadonlyArray<string> => {
  const name = path.basename(memoryPath)
  return fs.readdirSync(path.dirname(memoryPath))
    .filter((one) => one === name || one.startsWith(`${name}.`))
    .map((one) => path.join(path.dirname(memoryPath), one))
}

/** Makes the whole image of a memory the memory itself, if there is one: a copy of its diffs is then not needed. */
export const settleWhole = (memoryPath: string): void => {
  const whole = wholeName(memoryPath)
  if (!fs.existsSync(whole)) return
  fs.renameSync(whole, memoryPath)
  for (const diff of diffsOf(memoryPath)) fs.rmSync(diff)
}

/** Removes the whole image of a memory, which the next VM that continues from the memory makes again. */
export const dropWhole = (memoryPath: string): void => fs.rmSync(wholeName(memoryPath), { force: true })

/** Bytes of a captured memory on disk, 0 if there is none. An empty file says that the memory is in the state. */
export const memoryBytes = (memoryPath: string, statePath?: string): number => {
  const stat = fs.statSync(memoryPath, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (stat.size === 0 && statePath !== undefined) return bytesOnDisk(statePath)
  return [memoryPath, ...diffsOf(memoryPath)].reduce((sum, file) => sum + bytesOnDisk(file), 0)
}
