import * as path from "node:path"
import { afterAll, assert, beforeAll } from "vitest"
import { layer } from "../../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../../src/sdk/promises.ts"
import { sanitizedBuild } from "../../agent/agent.ts"
import { startLocalDaemon } from "../local-agent/daemon.ts"
import { sharedCache } from "../own-cache.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import { makeReader } from "./reader.ts"
import type { ShellCommand } from "./shell-commands.ts"

/** A reader of the documents with the built command and a daemon whose guests are local agents, for a file's tests. */
export const readerOverLocalAgents = (prefix: string, options: { readonly keeps?: boolean } = {}) => {
  const { folder, remove } = temporaryFolder(prefix)
  const variables = {
    PYRO_STATE_DIR: path.join(folder, "state"),
    // The host's own commands show the environments of this host.
    PYRO_CACHE_DIR: sharedCache,
    PYRO_REWIND_MIB: "2048",
    PYRO_REWIND_EVERY_MS: "0",
    PYRO_POOL_MEMBERS: "0"
  }
  Object.assign(process.env, variables)
  const reader = makeReader(folder, variables)
  let pyro: PyroPromises
  let daemon: Awaited<ReturnType<typeof startLocalDaemon>>
  let told: ReturnType<typeof reader.storiesOf>
  beforeAll(async () => {
    daemon = await startLocalDaemon(folder, sanitizedBuild, {
      ...reader.env,
      PYRO_CACHE_DIR: path.join(folder, "cache"),
      PYRO_DAEMON_IDLE_MS: "600000"
    })
    pyro = makePromises(layer)
    told = reader.storiesOf(pyro, options)
  })
  afterAll(async () => {
    // A story that ends this daemon would leave the others to one of microVMs.
    assert.strictEqual((await pyro.daemon.status({})).pid, daemon.pid)
    await pyro.workspace.delete({ workspaces: [], all: true })
    await pyro.close()
    await daemon.close()
    remove()
  })
  return {
    run: (commands: ReadonlyArray<ShellCommand>) => told.run(commands),
    runProgram: (text: string) => told.runProgram(text)
  } as const
}
