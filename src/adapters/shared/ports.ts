import type { Workspace } from "pyro/promises"

/** The URL on this host of a port of the guest, which stays published. */
export const urlOf = async (workspace: Workspace, port: number, protocol = "http"): Promise<string> =>
  `${protocol}://127.0.0.1:${(await workspace.port(port)).hostPort}`
