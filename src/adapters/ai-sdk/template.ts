import { type CreateOptions, type PyroClient, type Workspace, WorkspaceNameTaken } from "pyro/promises"
import { nameOf } from "../shared/names.ts"

/** A session of an identity, whose set-up is done once. */
interface Wanted {
  readonly client: PyroClient
  readonly options: CreateOptions
  readonly identity: string
  readonly setUp: (workspace: Workspace) => Promise<void>
  /** Name of the session's workspace. Default: none. */
  readonly name: string | undefined
  readonly signal: AbortSignal | undefined
}

/** Snapshot of a template whose set-up is done. */
const READY = "ready"

/** Runs the set-up in a new workspace, which goes again if it fails. */
const created = async ({ client, options, setUp, signal }: Wanted, name: string | undefined): Promise<Workspace> => {
  const workspace = await client.create({ ...options, name, signal })
  try {
    await setUp(workspace)
    return workspace
  } catch (failure) {
    await workspace.delete()
    throw failure
  }
}

/** Sets up a template, which keeps its memory and disk in a snapshot, and costs no memory afterwards. */
const makeTemplate = async (wanted: Wanted, name: string): Promise<Workspace> => {
  // A template stays for later sessions: its last use must not be the end of it.
  const template = await created({ ...wanted, options: { ...wanted.options, ttlMs: undefined } }, name)
  await template.snapshot(READY, { signal: wanted.signal })
  await template.stop({ signal: wanted.signal })
  return template
}

/** A workspace with the set-up done, forked from the template of the identity. The first session makes the template. */
export const forkOfTemplate = async (wanted: Wanted): Promise<Workspace> => {
  const { client, identity, name, signal } = wanted
  const templateName = nameOf("ai-sdk-template", identity)
  const template = (await client.get(templateName, { signal })) ??
    await makeTemplate(wanted, templateName).catch((failure: unknown) => {
      // Another session makes the template now. This one does not wait for it.
      if (failure instanceof WorkspaceNameTaken) return null
      throw failure
    })
  const isReady = template !== null && (await template.snapshots.list({ signal })).some((one) => one.name === READY)
  return isReady ? template.fork({ name, snapshot: READY, signal }) : created(wanted, name)
}
