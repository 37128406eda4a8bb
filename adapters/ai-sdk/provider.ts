import type { HarnessV1SandboxProvider } from "@ai-sdk/harness"
import { connect, type CreateOptions, type PyroClient, SavedExists, SavedNotFound, type Workspace } from "pyro/promises"
import { nameOf } from "../shared/names.ts"
import { createFrom } from "../shared/saved.ts"
import { PyroNetworkSandboxSession } from "./network-session.ts"
import { PyroSandboxSession } from "./session.ts"

/** A workspace that the program has and ends itself, or the options of a new one for each session. */
export type PyroSandboxSettings =
  & {
    /** Client of pyro. Default: `connect()`. */
    readonly client?: PyroClient | undefined
    /** Ports of the guest that harnesses may use. Default: 4000. */
    readonly ports?: ReadonlyArray<number> | undefined
  }
  & ({ readonly workspace: Workspace } | (Omit<CreateOptions, "name" | "signal"> & { readonly workspace?: never }))

/** The first session of an identity does its set-up. */
const notSaved = (failure: unknown): null => {
  if (!(failure instanceof SavedNotFound)) throw failure
  return null
}

/** Another session of the identity has been first. Both have the set-up. */
const savedMeanwhile = (failure: unknown): void => {
  if (!(failure instanceof SavedExists)) throw failure
}

/**
 * Workspaces of pyro for the harness agents of the AI SDK.
 *
 * @example
 * const agent = new HarnessAgent({ harness: claudeCode(), sandbox: createPyroSandbox({ allowHosts: ["npm", "api.anthropic.com"] }) })
 */
export const createPyroSandbox = (settings: PyroSandboxSettings = {}): HarnessV1SandboxProvider => {
  const { client = connect(), ports = [4000], workspace: held, ...options } = settings
  const sessionOf = (workspace: Workspace, id?: string) =>
    new PyroNetworkSandboxSession(workspace, { id, ports, ownsLifecycle: held === undefined })
  return {
    specificationVersion: "harness-sandbox-v1",
    providerId: "pyro-sandbox",
    createSession: async ({ abortSignal: signal, identity, onFirstCreate, sessionId } = {}) => {
      signal?.throwIfAborted()
      if (held !== undefined) return sessionOf(held)
      const fields = { ...options, name: sessionId === undefined ? undefined : nameOf("ai-sdk", sessionId), signal }
      const template = identity === undefined ? undefined : nameOf("ai-sdk", identity)
      const copy = template === undefined ? null : await createFrom(client, template, fields).catch(notSaved)
      if (copy !== null) return sessionOf(copy, sessionId)
      const made = await client.create(fields)
      try {
        await onFirstCreate?.(new PyroSandboxSession(made), signal === undefined ? {} : { abortSignal: signal })
        if (template !== undefined && onFirstCreate !== undefined) {
          await made.save(template, { signal }).catch(savedMeanwhile)
        }
      } catch (failure) {
        await made.delete()
        throw failure
      }
      return sessionOf(made, sessionId)
    },
    resumeSession: async ({ abortSignal: signal, sessionId }) => {
      const found = held ?? await client.get(nameOf("ai-sdk", sessionId), { signal })
      if (found === null) {
        throw new Error(`There is no workspace of the session ${sessionId}: create a session instead.`)
      }
      // A start of a running workspace does nothing.
      await found.start({ signal })
      return sessionOf(found, held === undefined ? sessionId : undefined)
    }
  }
}
