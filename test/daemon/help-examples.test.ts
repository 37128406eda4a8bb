import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { sanitizedBuild } from "../agent/agent.ts"
import { helpExamples } from "../support/documented.ts"
import { makeReader } from "../support/documents/reader.ts"
import { startLocalDaemon } from "../support/local-agent/daemon.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

/** Every example of a help text, with the built command and guests that are local agents. test/guest/docs.test.ts has those that need a microVM. */
describe("the examples of the help texts run over local agents", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-help-")
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
    told = reader.storiesOf(pyro, { keeps: true })
  })
  afterAll(async () => {
    assert.strictEqual((await pyro.daemon.status({})).pid, daemon.pid)
    await pyro.workspace.delete({ workspaces: [], all: true })
    await pyro.close()
    await daemon.close()
    remove()
  })

  it.each(helpExamples.map(({ commands, page }) => [page, commands[0]!.text, commands] as const))(
    "the example of %s runs: %s",
    (_page, _first, commands) => told.run(commands)
  )
})
