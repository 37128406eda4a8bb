import { PortAlreadyPublished, type Workspace } from "pyro/promises"

const publishedPort = async (workspace: Workspace, port: number) =>
  (await workspace.ports.list()).find(({ guestPort }) => guestPort === port)?.hostPort

/** Publishes a port of the guest, unless it is published, and gives the port of 127.0.0.1 that leads to it. */
const hostPortOf = async (workspace: Workspace, port: number): Promise<number> => {
  const known = await publishedPort(workspace, port)
  if (known !== undefined) return known
  try {
    return (await workspace.port(port)).hostPort
  } catch (failure) {
    // Another caller has published the port meanwhile.
    const other = failure instanceof PortAlreadyPublished ? await publishedPort(workspace, port) : undefined
    if (other === undefined) throw failure
    return other
  }
}

/** The URL on this host of a port of the guest. */
export const urlOf = async (workspace: Workspace, port: number, protocol = "http"): Promise<string> =>
  `${protocol}://127.0.0.1:${await hostPortOf(workspace, port)}`
