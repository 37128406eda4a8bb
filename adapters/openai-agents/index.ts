import {
  deserializeManifest,
  resolveEnvironmentReferences,
  sanitizeEnvironmentForPersistence,
  serializeManifestRecord
} from "@openai/agents-core/sandbox/internal"
import {
  Manifest,
  normalizeSandboxClientCreateArgs,
  type SandboxArchiveLimits,
  type SandboxClient,
  type SandboxClientCreateArgs,
  SandboxUnsupportedFeatureError
} from "@openai/agents/sandbox"
import { connect, type CreateOptions, type PyroClient } from "pyro/promises"
import type { PyroSessionState } from "./files.ts"
import { PyroSession } from "./session.ts"

export { PyroSession, type PyroSessionState }

/** Options of the workspace of a session. */
export type PyroSandboxClientOptions = Omit<CreateOptions, "signal" | "env" | "cwd"> & {
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient | undefined
  /** Environment variables of each command. Those of a manifest win. Default: none. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Keep the workspace at the end of a run, paused, so that a serialized state goes on with it and its processes. Default: false. */
  readonly pauseOnExit?: boolean | undefined
}

/**
 * Workspaces of pyro as the sandboxes of OpenAI's agents.
 *
 * @example
 * const agent = new SandboxAgent({ name: "coder", instructions: "Make the tests pass." })
 * await run(agent, "Go on.", { sandbox: { client: new PyroSandboxClient({ seedPath: "." }) } })
 */
export class PyroSandboxClient implements SandboxClient<PyroSandboxClientOptions, PyroSessionState> {
  readonly backendId = "pyro"
  readonly #options: PyroSandboxClientOptions
  readonly #client: PyroClient

  constructor(options: PyroSandboxClientOptions = {}) {
    this.#options = options
    this.#client = options.client ?? connect()
  }

  /** A session with a new workspace, which has the files and the variables of the manifest. */
  async create(
    args?: SandboxClientCreateArgs<PyroSandboxClientOptions> | Manifest,
    manifestOptions?: PyroSandboxClientOptions
  ): Promise<PyroSession> {
    const { archiveLimits, manifest, options, snapshot } = normalizeSandboxClientCreateArgs(args, manifestOptions)
    if (snapshot !== undefined && snapshot.type !== "noop") {
      throw new SandboxUnsupportedFeatureError(
        "pyro takes no snapshot of the SDK: use persistWorkspace() and hydrateWorkspace()."
      )
    }
    const { client: _, env = {}, pauseOnExit = false, ...create } = { ...this.#options, ...options }
    const workspace = await this.#client.create(create)
    const { extraPathGrants, root } = manifest
    const session = new PyroSession(workspace, {
      manifest: new Manifest({ root, extraPathGrants }),
      workspaceId: workspace.id,
      pauseOnExit,
      environment: { ...env }
    }, archiveLimits)
    try {
      if (!await workspace.files.exists(root)) {
        await workspace.files.mkdir(root, { parents: true, user: workspace.info.workspaceUser })
      }
      await session.applyManifest(manifest)
    } catch (failure) {
      await workspace.delete()
      throw failure
    }
    return session
  }

  /** Goes on with the workspace of a state, and starts or resumes it. A workspace that is gone is made anew. */
  async resume(
    state: PyroSessionState,
    { archiveLimits }: { readonly archiveLimits?: SandboxArchiveLimits | null } = {}
  ): Promise<PyroSession> {
    const found = await this.#client.get(state.workspaceId)
    if (found === null) return this.create(state.manifest, { env: state.environment, pauseOnExit: state.pauseOnExit })
    // A start of a running workspace does nothing.
    await found.start()
    return new PyroSession(found, state, archiveLimits)
  }

  /** Deletes the workspace of a state. Nothing happens if it is gone. */
  async delete(state: PyroSessionState): Promise<void> {
    await (await this.#client.get(state.workspaceId))?.delete()
  }

  /** The state as JSON, without the variables that are ephemeral or come from elsewhere. */
  async serializeSessionState(state: PyroSessionState): Promise<Record<string, unknown>> {
    const environment = sanitizeEnvironmentForPersistence(state)
    return { ...state, environment, manifest: serializeManifestRecord(state.manifest) }
  }

  async deserializeSessionState(state: Record<string, unknown>): Promise<PyroSessionState> {
    // Grants of the host's folders are the program's own, and never those of a text.
    const manifest = deserializeManifest({ ...state["manifest"] as Record<string, unknown>, extraPathGrants: [] })
    const environment = state["environment"] as Record<string, string> | undefined
    return {
      ...state,
      workspaceId: String(state["workspaceId"]),
      pauseOnExit: state["pauseOnExit"] === true,
      environment: { ...environment, ...await resolveEnvironmentReferences(manifest) },
      manifest
    }
  }

  canPersistOwnedSessionState(state: PyroSessionState): boolean {
    return state.pauseOnExit
  }
}
