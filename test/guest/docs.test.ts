import { execFileSync } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { bashSession } from "../support/cli/bash-session.ts"
import { isAsShown, programsInMicroVms, sessions, storiesInMicroVms } from "../support/documents/documented.ts"
import { makeReader } from "../support/documents/reader.ts"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"

const own = installation("pyro-docs-")
const settings = { PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" }
const { env, freshProject, project, storiesOf } = makeReader(own.folder, {
  ...own.env,
  ...settings,
  PYRO_CACHE_DIR: sharedCache
})

/** The pages and the examples of help texts that need a microVM: test/daemon/docs.test.ts and help-examples.test.ts have all others. */
describe("the commands and programs of the documents run", { concurrent: false }, () => {
  let pyro: PyroPromises
  let told: ReturnType<typeof storiesOf>
  beforeAll(() => {
    Object.assign(process.env, settings, { PYRO_STATE_DIR: own.state })
    pyro = makePromises(layer)
    told = storiesOf(pyro)
  })
  afterAll(async () => {
    await pyro.close()
    await own.close()
  })

  it.each(storiesInMicroVms.map(({ commands, page }) => [page, commands[0]!.text, commands] as const))(
    "the commands of %s run: %s",
    (_page, _first, commands) => told.run(commands)
  )

  it.each(sessions.map(({ page, steps }) => [page, steps] as const))(
    "%s shows the output of its recorded session",
    async (_page, steps) => {
      await told.restore()
      freshProject()
      execFileSync("git", ["clean", "-fdxq"], { cwd: project })
      const shell = bashSession({ cwd: project, env })
      try {
        for (const { command, output } of steps) {
          for (const call of command.calls) await told.prepare(call)
          const lines = (await shell.run(command.text)).output.split("\n").slice(0, -1)
          const isSame = lines.length === output.length && lines.every((line, n) => isAsShown(line, output[n]!))
          assert.isTrue(isSame, `${command.text}\nprints:\n${lines.join("\n")}\nthe page shows:\n${output.join("\n")}`)
        }
      } finally {
        await shell.close()
      }
    }
  )

  it.each(programsInMicroVms.map(({ name, program }) => [name, program] as const))(
    "the example %s runs without an error",
    (_, program) => told.runProgram(program)
  )
})
