import { posix } from "node:path"
import type { FileEntry, Workspace } from "pyro/promises"

/** The rights and the owner of files: those of the user of the commands. */
export const asOwner = ({ info }: Workspace): { readonly user: string | undefined } => ({ user: info.workspaceUser })

/** Directories with more entries are an error, and no part of them. */
const LIMIT = 10_000

/** All entries of a directory, with their names. */
export const entriesOf = async (
  workspace: Workspace,
  path: string,
  options: { readonly user?: string | undefined; readonly signal?: AbortSignal | undefined } = asOwner(workspace)
): Promise<Array<FileEntry & { readonly name: string }>> => {
  const { entries, truncated } = await workspace.files.list(path, { ...options, limit: LIMIT })
  if (truncated) throw new Error(`${path} has more than ${LIMIT} entries: list it by a command.`)
  return entries.map((entry) => ({ ...entry, name: posix.basename(entry.path) }))
}
