import {
  type Manifest,
  resolveSandboxArchiveLimits,
  SandboxArchiveError,
  type SandboxArchiveLimits,
  type WorkspaceArchiveData
} from "@openai/agents/sandbox"
import type { Workspace } from "pyro/promises"

/** The files of a session as a tar, without the ephemeral ones of its manifest. */
export const persist = async (workspace: Workspace, manifest: Manifest): Promise<Uint8Array> => {
  const left = [...manifest.ephemeralPersistencePaths()].map((path) => `--exclude=./${path}`)
  await using tar = await workspace.spawn(
    ["tar", "--anchored", "--no-wildcards", ...left, "-C", manifest.root, "-cf", "-", "."],
    { user: "root", stdin: "ignore" }
  )
  const bytes = new Uint8Array(await new Response(tar.stdout).arrayBuffer())
  const { status } = await tar.wait()
  if (status !== 0) throw new SandboxArchiveError(`The files were not archived: tar ended with status ${status}.`)
  return bytes
}

const bytesOf = (data: WorkspaceArchiveData): Uint8Array =>
  typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data)

const check = (what: string, value: number, most: number | null | undefined) => {
  if (most != null && value > most) {
    throw new SandboxArchiveError(`The archive has ${value} ${what}, more than ${most}.`)
  }
}

/** Counts the members of an archive and their bytes. An archive that tar cannot read to its end fails. */
const COUNT = `set -o pipefail; tar -tvf - | awk '{ members++; bytes += $3 } END { print members + 0, bytes + 0 }'`
const REPLACE = `set -e; mkdir -p "$1"; find "$1" -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +; tar -C "$1" -xf -`

/** Replaces the files of a session by those of a tar. A tar that cannot be read, or is over a limit, changes nothing. */
export const hydrate = async (
  workspace: Workspace,
  root: string,
  data: WorkspaceArchiveData,
  limits: SandboxArchiveLimits | null | undefined
): Promise<void> => {
  const stdin = bytesOf(data)
  const most = resolveSandboxArchiveLimits(limits)
  check("bytes", stdin.length, most?.maxInputBytes)
  const counted = await workspace.exec(["bash", "-c", COUNT], { stdin, user: "root" })
  if (counted.status !== 0) throw new SandboxArchiveError(`The archive cannot be read: ${counted.stderr}`)
  const [members = 0, bytes = 0] = counted.stdout.trim().split(" ").map(Number)
  check("members", members, most?.maxMembers)
  check("bytes of files", bytes, most?.maxExtractedBytes)
  const { output, status } = await workspace.exec(["bash", "-c", REPLACE, "bash", root], { stdin, user: "root" })
  if (status !== 0) throw new SandboxArchiveError(`The archive was not unpacked: ${output}`)
}
