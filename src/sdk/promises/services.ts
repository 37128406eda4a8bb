import type { Cancel, Command } from "./common.ts"
import type {
  NetworkChanged,
  NetworkFields,
  NetworkLog,
  NetworkLogFields,
  PublishedPort,
  ServiceFields,
  ServiceInfo,
  ServiceLog,
  ServiceLogFields,
  SnapshotInfo
} from "./shapes.ts"

/**
 * Programs of a workspace that stay, such as servers.
 *
 * @example
 * await ws.services.start("web", "python3 -m http.server 8000", { readyTcp: 8000 })
 */
export interface Services {
  /**
   * Starts a service, and resolves when it is ready. An empty list is the command of the workspace's image, with its health check and stop signal.
   *
   * @example
   * await ws.services.start("api", "python3 -m http.server 8001", { readyTcp: 8001, readyTimeoutMs: 60_000 })
   * await ws.services.stop("api")
   */
  readonly start: (name: string, command: Command, options?: ServiceFields & Cancel) => Promise<ServiceInfo>
  /**
   * Services since create or the last reset, by name.
   *
   * @example
   * for (const { name, state } of await ws.services.list()) console.log(name, state)
   */
  readonly list: (options?: Cancel) => Promise<ReadonlyArray<ServiceInfo>>
  /**
   * A service. Null if the workspace has none of this name.
   *
   * @example
   * const web = await ws.services.get("web")
   * if (web?.state !== "ready") console.log("it does not run")
   */
  readonly get: (name: string, options?: Cancel) => Promise<ServiceInfo | null>
  /**
   * A part of the log of a service.
   *
   * @example
   * await ws.services.start("job", "echo begun; sleep 600")
   * const { output, nextCursor } = await ws.services.logs("job", { tailLines: 20 })
   */
  readonly logs: (name: string, options?: ServiceLogFields & Cancel) => Promise<ServiceLog>
  /**
   * Stops a service: SIGTERM, and SIGKILL after `graceMs` (default 5000 ms).
   *
   * @example
   * await ws.services.start("worker", "sleep 600")
   * const { state } = await ws.services.stop("worker", { graceMs: 500 })
   */
  readonly stop: (name: string, options?: { readonly graceMs?: number | undefined } & Cancel) => Promise<ServiceInfo>
}

/**
 * The network of a workspace.
 *
 * @example
 * await ws.network.set({ allowHosts: ["npm"] })
 */
export interface Network {
  /**
   * Grants the network that the options describe, and nothing else.
   *
   * @example
   * const { revokedGrants } = await ws.network.set({ allowHosts: ["npm"] })
   */
  readonly set: (policy: NetworkFields, options?: Cancel) => Promise<NetworkChanged>
  /**
   * Connections and denials, the newest first of those that fit into `limit`.
   *
   * @example
   * const { entries } = await ws.network.log({ denied: true })
   */
  readonly log: (options?: NetworkLogFields & Cancel) => Promise<NetworkLog>
}

/** A port of the guest that a port of 127.0.0.1 of the host leads to. */
export interface Port extends AsyncDisposable {
  /** Port in the guest. */
  readonly guestPort: number
  /** Port of 127.0.0.1 on the host. */
  readonly hostPort: number
  /** `http://127.0.0.1:HOST_PORT`. */
  readonly url: string
  /**
   * Stops listening on the host, unless the port was published before. `ws.ports.close` closes such a port too.
   *
   * @example
   * const port = await ws.port(3001)
   * await port.close()
   */
  readonly close: (options?: Cancel) => Promise<void>
}

/** Options of `port`. */
export interface PortOptions extends Cancel {
  /** Port of the host. Default: a free one, or that of a port that is published already. */
  readonly hostPort?: number | undefined
}

/** Published ports of a workspace. */
export interface Ports {
  /**
   * Published ports, by guest port.
   *
   * @example
   * for (const { guestPort, hostPort } of await ws.ports.list()) console.log(guestPort, hostPort)
   */
  readonly list: (options?: Cancel) => Promise<ReadonlyArray<PublishedPort>>
  /**
   * Stops listening for a port of the guest, whatever client has published it.
   *
   * @example
   * await ws.port(3000)
   * await ws.ports.close(3000)
   */
  readonly close: (guestPort: number, options?: Cancel) => Promise<void>
}

/** Snapshots of a workspace. */
export interface Snapshots {
  /**
   * Snapshots, oldest first.
   *
   * @example
   * for (const { name, kind } of await ws.snapshots.list()) console.log(name, kind)
   */
  readonly list: (options?: Cancel) => Promise<ReadonlyArray<SnapshotInfo>>
  /**
   * Deletes a snapshot.
   *
   * @example
   * await ws.snapshot("old")
   * await ws.snapshots.delete("old")
   */
  readonly delete: (name: string, options?: Cancel) => Promise<void>
}
