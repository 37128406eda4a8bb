import type { SandboxFs } from "@tanstack/ai-sandbox"
import type { FileStat, Workspace } from "pyro/promises"

/** Directories with more entries are an error, and no part of them. */
const LIMIT = 10_000

/** Bits of a mode that tell the type of a file. */
const TYPE_BITS: Readonly<Record<FileStat["type"], number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000
}

const wordOf = (type: FileStat["type"]) =>
  type === "directory" ? "dir" : type === "file" || type === "symlink" ? type : "other"

/** Files of a workspace, with the rights of the user of its commands. */
export const filesOf = ({ files, info }: Workspace): SandboxFs => {
  const by = { user: info.workspaceUser }
  const fs = {
    read: (path: string) => files.readText(path, by),
    readBytes: (path: string) => files.read(path, by),
    write: async (path: string, data: string | Uint8Array) => {
      await files.write(path, data, by)
    },
    list: async (path: string) => {
      const { entries, truncated } = await files.list(path, { ...by, limit: LIMIT })
      if (truncated) throw new Error(`${path} has more than ${LIMIT} entries: list it with process.exec.`)
      return entries.map(({ path: entry, type }) => {
        const name = entry.slice(entry.lastIndexOf("/") + 1)
        return {
          name,
          path: `${path.replace(/\/$/, "")}/${name}`,
          type: type === "directory" ? "dir" as const : "file" as const
        }
      })
    },
    mkdir: async (path: string) => {
      await files.mkdir(path, { ...by, parents: true })
    },
    remove: async (path: string) => {
      await files.remove(path, { ...by, recursive: true, ifExists: true })
    },
    rename: (from: string, to: string) => files.rename(from, to, { ...by, replace: true }),
    exists: (path: string) => files.exists(path, by),
    /** A word of newer releases of TanStack AI. */
    lstat: async (path: string) => {
      const found = await files.stat(path, { ...by, noFollow: true })
      if (found === null) return undefined
      const mode = TYPE_BITS[found.type] | parseInt(found.mode, 8)
      const type = wordOf(found.type)
      return type === "file" ? { type, mode, size: found.sizeBytes } : { type, mode }
    }
  }
  return fs
}
