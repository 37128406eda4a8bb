import { UserError } from "@openai/agents"
import { type Entry, permissionsForSandboxEntry, SandboxUnsupportedFeatureError } from "@openai/agents/sandbox"
import { lstat, readdir, readFile, realpath } from "node:fs/promises"
import { join, posix, sep } from "node:path"
import process from "node:process"
import type { Workspace } from "pyro/promises"

/** Who the files of a manifest belong to. */
interface Place {
  readonly workspace: Workspace
  readonly user: string | undefined
  /** Folders of the host, besides that of the program, from which sources may come. */
  readonly grants: ReadonlyArray<string>
}

const modeOf = ({ permissions }: Entry): string => {
  const { group, other, owner } = permissionsForSandboxEntry(permissions)
  return (owner * 64 + group * 8 + other).toString(8)
}

/** A link could lead out of what the program named. */
const statOf = async (src: string) => {
  const stat = await lstat(src)
  if (stat.isSymbolicLink()) throw new UserError(`A source of a manifest must not be a symbolic link: ${src}`)
  return stat
}

/** A manifest may come from a serialized state: its sources lie in the program's folder, or in one that is granted. */
const assertGranted = async ({ grants }: Place, src: string): Promise<void> => {
  const real = await realpath(src)
  const folders = await Promise.all([process.cwd(), ...grants].map((folder) => realpath(folder).catch(() => undefined)))
  if (
    folders.some((folder) =>
      folder !== undefined && `${real}/`.startsWith(folder.endsWith(sep) ? folder : folder + sep)
    )
  ) return
  throw new UserError(
    `A source of a manifest lies outside of ${process.cwd()}: ${src}. Name its folder in extraPathGrants.`
  )
}

const copyIn = async (place: Place, src: string, target: string, mode?: string): Promise<void> => {
  const stat = await statOf(src)
  if (!stat.isDirectory()) {
    const own = (stat.mode & 0o100) === 0 ? "644" : "755"
    await place.workspace.files.write(target, await readFile(src), { user: place.user, mode: mode ?? own })
    return
  }
  await place.workspace.files.mkdir(target, { parents: true, user: place.user })
  for (const name of await readdir(src)) await copyIn(place, join(src, name), posix.join(target, name))
}

const CLONE = `set -e
git init -q "$1"; cd "$1"
git fetch -q --depth 1 "$2" "$3"
git checkout -q FETCH_HEAD`

const clone = async ({ user, workspace }: Place, path: string, entry: Extract<Entry, { type: "git_repo" }>) => {
  if (entry.subpath !== undefined) {
    throw new SandboxUnsupportedFeatureError("pyro clones whole repositories: leave out subpath.")
  }
  const url = `https://${entry.host ?? "github.com"}/${entry.repo}`
  const { output, status } = await workspace.exec(["sh", "-c", CLONE, "sh", path, url, entry.ref ?? "HEAD"], { user })
  if (status !== 0) throw new UserError(`${url} was not cloned: ${output}`)
}

/** Makes an entry of a manifest at a path of the guest. */
export const materialize = async (place: Place, path: string, entry: Entry): Promise<void> => {
  const { files } = place.workspace
  const { user } = place
  if (entry.group !== undefined) {
    throw new SandboxUnsupportedFeatureError("pyro gives no group to entries of a manifest.")
  }
  if (entry.type === "file") {
    await files.write(path, entry.content, { user, mode: modeOf(entry) })
  } else if (entry.type === "dir") {
    await files.mkdir(path, { parents: true, user })
    for (const [name, child] of Object.entries(entry.children ?? {})) {
      await materialize(place, posix.join(path, name), child)
    }
    await files.chmod(path, modeOf(entry), { user })
  } else if (entry.type === "local_file" || entry.type === "local_dir") {
    await assertGranted(place, entry.src)
    await copyIn(place, entry.src, path, entry.type === "local_file" ? modeOf(entry) : undefined)
  } else if (entry.type === "git_repo") {
    await clone(place, path, entry)
  } else {
    throw new SandboxUnsupportedFeatureError(`pyro has no mounts: ${path} cannot be a ${entry.type}.`, { path })
  }
}
