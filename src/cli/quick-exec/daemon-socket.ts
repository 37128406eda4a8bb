import * as fs from "node:fs"
import * as path from "node:path"

/** Longest path that a socket's address holds, in bytes. */
const MAX_ADDRESS_BYTES = 107

/** The daemon's folder, where it is this user's and its place needs no repair. */
const folder = (env: NodeJS.ProcessEnv): string | undefined => {
  const named = env["PYRO_STATE_DIR"]
  const base = env["XDG_STATE_HOME"] ?? ""
  const state = named
    ? named
    : path.isAbsolute(base)
    ? path.join(base, "pyro")
    : env["HOME"]
    ? path.join(env["HOME"], ".local/state", "pyro")
    : undefined
  if (state === undefined || !path.isAbsolute(state)) return undefined
  const { mode, uid } = fs.lstatSync(state)
  const isOwn = (mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR && (mode & 0o077) === 0 &&
    uid === process.getuid?.()
  return isOwn ? path.join(state, "daemon") : undefined
}

/** The socket of the daemon of this build; undefined if there is none, or if an error must be reported. */
export const daemonSocket = (build: string, env: NodeJS.ProcessEnv): string | undefined => {
  try {
    const daemon = folder(env)
    if (daemon === undefined) return undefined
    const socket = path.join(daemon, "socket")
    if (Buffer.byteLength(socket) > MAX_ADDRESS_BYTES) return undefined
    const { version } = JSON.parse(fs.readFileSync(path.join(daemon, "daemon.json"), "utf8")) as {
      readonly version?: unknown
    }
    return version === build ? socket : undefined
  } catch {
    return undefined
  }
}
