import type { SandboxFs } from "@tanstack/ai-sandbox"
import { posix } from "node:path"
import type { FileStat, Workspace } from "pyro/promises"
import { asOwner, entriesOf } from "../shared/files.ts"

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

/** Tells which files change beneath a directory, until it is stopped. */
const watchIn = ({ files }: Workspace): NonNullable<SandboxFs["watch"]> => async (path, onEvent) => {
  const events = files.watch(path).getReader()
  // The first says that every later change is told.
  await events.read()
  const tell = async () => {
    for (let next = await events.read(); !next.done; next = await events.read()) {
      const changes = next.value._tag === "Changed" ? next.value.changes.filter(({ directory }) => !directory) : []
      const told = changes.flatMap(({ change: type, from, path: now }) => [from, now].map((one) => ({ type, one })))
      for (const { one, type } of told) if (one !== undefined) onEvent({ type, path: posix.resolve("/workspace", one) })
    }
  }
  // The end of the workspace ends the watch.
  tell().catch(() => undefined)
  return { stop: () => events.cancel() }
}

/** Files of a workspace, with the rights of the user of its commands. */
export const filesOf = (workspace: Workspace): SandboxFs => {
  const { files } = workspace
  const by = asOwner(workspace)
  const fs = {
    read: (path: string) => files.readText(path, by),
    readBytes: (path: string) => files.read(path, by),
    write: async (path: string, data: string | Uint8Array) => void await files.write(path, data, by),
    list: async (path: string) =>
      (await entriesOf(workspace, path)).map(({ name, type }) => ({
        name,
        path: posix.join(path, name),
        type: type === "directory" ? "dir" as const : "file" as const
      })),
    mkdir: async (path: string) => void await files.mkdir(path, { ...by, parents: true }),
    remove: async (path: string) => void await files.remove(path, { ...by, recursive: true, ifExists: true }),
    rename: (from: string, to: string) => files.rename(from, to, { ...by, replace: true }),
    exists: (path: string) => files.exists(path, by),
    watch: watchIn(workspace),
    /** Newer releases of TanStack AI know this name. */
    lstat: async (path: string) => {
      const found = await files.stat(path, { ...by, noFollow: true })
      if (found === null) return undefined
      const { sizeBytes: size, type } = found
      const mode = TYPE_BITS[type] | parseInt(found.mode, 8)
      if (type === "file") return { type, mode, size }
      return { type: type === "directory" ? "dir" as const : type === "symlink" ? type : "other" as const, mode }
    }
  }
  return fs
}
