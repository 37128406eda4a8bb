import type { HarnessV1SandboxProvider } from "@ai-sdk/harness"
import { connect, type CreateOptions, type PyroClient, type Workspace } from "pyro/promises"
import { nameOf } from "../shared/names.ts"
import { PyroNetworkSandboxSession } from "./network-session.ts"
import { PyroSandboxSession } from "./session.ts"
import { forkOfTemplate } from "./template.ts"

/** A workspace that the program has and ends itself, or the options of a new one for each session. */
export type PyroSandboxSettings =
  & {
    /** Client of pyro. Default: `connect()`. */
    readonly client?: PyroClient | undefined
    /** Ports of the guest that harnesses may use. Default: 4000. */
    readonly ports?: ReadonlyArray<number> | undefined
  }
  & ({ readonly workspace: Workspace } | (Omit<CreateOptions, "name" | "signal"> & { readonly workspace?: never }))

/**
 * Workspaces of pyro for the harness agents of the AI SDK.
 *
 * @example
 * const agent = new HarnessAgent({ harness: claudeCode(), sandbox: createPyroSandbox({ allowHosts: ["npm", "api.anthropic.com"] }) })
 */
export const createPyroSandbox = (settings: PyroSandboxSettings = {}): HarnessV1SandboxProvider => {
  const { client: given, ports = [4000], workspace: held, ...options } = settings
  let own: PyroClient | undefined
  const client = () => given ?? (own ??= connect())
  const sessionOf = (workspace: Workspace, id?: string) =>
    new PyroNetworkSandboxSession(workspace, { id, ports, ownsLifecycle: held === undefined })
  return {
    specificationVersion: "harness-sandbox-v1",
    providerId: "pyro-sandbox",
    createSession: async ({ abortSignal: signal, identity, onFirstCreate, sessionId } = {}) => {
      signal?.throwIfAborted()
      if (held !== undefined) return sessionOf(held)
      const name = sessionId === undefined ? undefined : nameOf("ai-sdk", sessionId)
      const setUp = async (workspace: Workspace) =>
        onFirstCreate?.(new PyroSandboxSession(workspace), signal === undefined ? {} : { abortSignal: signal })
      const made = identity === undefined || onFirstCreate === undefined
        ? await client().create({ ...options, name, signal })
        : await forkOfTemplate({ client: client(), options, identity, setUp, name, signal })
      return sessionOf(made, sessionId)
    },
    resumeSession: async ({ abortSignal: signal, sessionId }) => {
      const found = held ?? await client().get(nameOf("ai-sdk", sessionId), { signal })
      if (found === null) {
        throw new Error(`There is no workspace of the session ${sessionId}: create a session instead.`)
      }
      // Of a running workspace, a start does nothing.
      await found.start({ signal })
      return sessionOf(found, held === undefined ? sessionId : undefined)
    }
  }
}
