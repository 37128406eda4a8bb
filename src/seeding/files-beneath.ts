import { Context, Effect } from "effect"
import * as fs from "node:fs"
import { SeedRejected } from "../contract/errors/errors.ts"

const slash = Buffer.from("/")

export const joinBytes = (folder: Uint8Array, name: Uint8Array): Buffer =>
  folder.length === 0 ? Buffer.from(name) : Buffer.concat([folder, slash, name])

/** A host path made of a folder and bytes below it. */
export const beneath = (folder: string, relative: Uint8Array): Buffer => joinBytes(Buffer.from(folder), relative)

/** How far a directory is walked that git cannot list. */
export interface WalkLimits {
  /** Files and directories. */
  readonly entries: number
  /** Maximum depth of directories. */
  readonly depth: number
  /** Time of the whole walk in `ms`; a directory of a network file system may not answer. */
  readonly deadlineMs: number
}

/** A reference, so that tests need no million files. */
export const walkLimits = Context.Reference<WalkLimits>("pyro/seeding/walkLimits", {
  defaultValue: () => ({ entries: 1_000_000, depth: 512, deadlineMs: 120_000 })
})

interface Folder {
  readonly path: Buffer
  readonly depth: number
}

const dotGit = Buffer.from(".git")

/**
 * Everything below a directory except entries named `.git`, for directories that git cannot list. Opens directories only, and
 * follows no symbolic links. Fails as `SeedRejected` of `source` if the tree is too large, too deep or too slow. `gits` gets the entries
 * that are left out.
 */
export const filesBeneath = (
  root: Buffer,
  source: string,
  gits: Array<Buffer> = []
): Effect.Effect<ReadonlyArray<Buffer>, SeedRejected> =>
  Effect.gen(function*() {
    const { deadlineMs, depth, entries } = yield* walkLimits
    const refuse = (detail: string) => new SeedRejected({ path: source, detail })
    const found: Array<Buffer> = []
    const walk = Effect.gen(function*() {
      const folders: Array<Folder> = [{ path: Buffer.alloc(0), depth: 0 }]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const all = yield* entriesOf(joinBytes(root, folder.path), entries - found.length)
        const listed = all?.filter(({ name }) => !name.equals(dotGit))
        if (listed?.length !== all?.length) gits.push(joinBytes(folder.path, dotGit))
        if (listed === undefined) {
          return yield* refuse(`it has more than ${entries} files and directories`)
        }
        for (const { isDirectory, name } of listed) {
          const path = joinBytes(folder.path, name)
          found.push(path)
          if (isDirectory) folders.push({ path, depth: folder.depth + 1 })
        }
        if (folder.depth >= depth && listed.some(({ isDirectory }) => isDirectory)) {
          return yield* refuse(`it has more than ${depth} directories within each other`)
        }
      }
      return found
    })
    return yield* Effect.timeoutOrElse(walk, {
      duration: deadlineMs,
      orElse: () => Effect.fail(refuse(`listing its files took longer than ${deadlineMs / 1000} s`))
    })
  })

interface Listed {
  readonly name: Buffer
  readonly isDirectory: boolean
}

/**
 * Entries of a directory, in order; undefined when there are more than `most` beside `.git`. None when the directory cannot be read, which the
 * seeding itself then reports.
 */
const entriesOf = (folder: Buffer, most: number) =>
  Effect.promise(async (signal): Promise<ReadonlyArray<Listed> | undefined> => {
    const listed: Array<Listed> = []
    let counted = 0
    try {
      // Node's types lack the encoding "buffer" of opendir, which Node accepts.
      const options = { encoding: "buffer", bufferSize: 1024 } as unknown as fs.OpenDirOptions
      for await (const entry of await fs.promises.opendir(folder, options)) {
        const name = entry.name as unknown as Buffer
        if (!name.equals(dotGit) && ++counted > most) return undefined
        listed.push({ name, isDirectory: entry.isDirectory() })
        signal.throwIfAborted()
      }
    } catch {
      // The readable entries count.
    }
    return listed.sort((one, other) => Buffer.compare(one.name, other.name))
  })
