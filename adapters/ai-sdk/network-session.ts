import type { HarnessV1NetworkSandboxSession } from "@ai-sdk/harness"
import { type Workspace, WorkspaceNotFound } from "pyro/promises"
import { networkOf, type Policy } from "./network-policy.ts"
import { PyroSandboxSession } from "./session.ts"

/** How a session holds its workspace. */
export interface PyroNetworkSandboxSessionOptions {
  /** Id by which `resumeSession` finds the workspace again. Default: the workspace's own. */
  readonly id?: string | undefined
  /** Ports of the guest that harnesses may use. Default: none. */
  readonly ports?: ReadonlyArray<number> | undefined
  /** Whether `stop` stops the workspace, and `destroy` deletes it. Default: false. */
  readonly ownsLifecycle?: boolean | undefined
}

type PortOptions = Parameters<HarnessV1NetworkSandboxSession["getPortUrl"]>[0]

/** A workspace as the sandbox of a harness: also ports, the network, and the end. */
export class PyroNetworkSandboxSession extends PyroSandboxSession implements HarnessV1NetworkSandboxSession {
  /** Id by which `resumeSession` finds the workspace again. */
  readonly id: string
  readonly #ownsLifecycle: boolean
  #ports: ReadonlyArray<number>

  constructor(
    workspace: Workspace,
    { id = workspace.id, ownsLifecycle = false, ports = [] }: PyroNetworkSandboxSessionOptions = {}
  ) {
    super(workspace)
    this.id = id
    this.#ownsLifecycle = ownsLifecycle
    this.#ports = ports
  }

  /** Ports of the guest that harnesses may use. */
  get ports(): ReadonlyArray<number> {
    return this.#ports
  }

  /** The address of a port on this host, for harnesses of newer releases. pyro forwards TCP, so `https` is `http`, too: the server has no certificate. */
  async getPortEndpoint({ port, protocol }: PortOptions): Promise<{ readonly url: string }> {
    const { url } = await this.workspace.port(port)
    return { url: new URL(protocol === "ws" ? url.replace(/^http/, "ws") : url).toString() }
  }

  /** The address of a port on this host. */
  async getPortUrl(options: PortOptions): Promise<string> {
    return (await this.getPortEndpoint(options)).url
  }

  /** Uses these ports, and no longer listens for the others. */
  async setPorts(
    ports: ReadonlyArray<number>,
    { abortSignal }: { readonly abortSignal?: AbortSignal } = {}
  ): Promise<void> {
    abortSignal?.throwIfAborted()
    const published = await this.workspace.ports.list({ signal: abortSignal })
    const unused = published.filter(({ guestPort }) => this.#ports.includes(guestPort) && !ports.includes(guestPort))
    this.#ports = [...ports]
    await Promise.all(unused.map(({ guestPort }) => this.workspace.ports.close(guestPort, { signal: abortSignal })))
  }

  /** Grants the network of the policy, and nothing else. */
  async setNetworkPolicy(policy: Policy): Promise<void> {
    await this.workspace.network.set(networkOf(policy))
  }

  /** Ends the microVM and keeps the disk. */
  async stop(): Promise<void> {
    if (!this.#ownsLifecycle) return
    await this.workspace.stop().catch((failure: unknown) => {
      if (!(failure instanceof WorkspaceNotFound)) throw failure
    })
  }

  /** Deletes the workspace. Does nothing if it is gone. */
  async destroy(): Promise<void> {
    if (this.#ownsLifecycle) await this.workspace.delete()
  }

  /** The same workspace for tools. */
  restricted(): PyroSandboxSession {
    return new PyroSandboxSession(this.workspace)
  }
}
