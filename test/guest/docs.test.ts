import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { bashSession } from "../support/bash-session.ts"
import { blocksOf, isAsShown, pages, sessions, storiesInMicroVms } from "../support/documented.ts"
import { makeReader } from "../support/documents/reader.ts"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"

const root = path.resolve(import.meta.dirname, "../..")

const own = installation("pyro-docs-")
const settings = { PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" }
const { env, freshProject, project, storiesOf } = makeReader(own.folder, {
  ...own.env,
  ...settings,
  PYRO_CACHE_DIR: sharedCache
})

/** The pages, and the examples of help texts that need a microVM: test/daemon/help-examples.test.ts has all others. */
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

  const programs = pages.flatMap(({ page, text }) =>
    blocksOf(text, "ts").map((program, at) => [`${page}, program ${at + 1}`, program] as const)
  )
  it.each(programs)("the example %s runs without an error", async (_, program) => {
    freshProject()
    const found = (await pyro.workspace.list()).workspaces.filter(({ name }) => name === "fix")
    if (found.length > 0) await pyro.workspace.delete({ workspaces: ["fix"] })
    // Beneath the clone, so that "pyro" is what the examples of the clone import.
    const folder = fs.mkdtempSync(path.join(root, "dist/docs-"))
    try {
      const file = path.join(folder, "program.ts")
      fs.writeFileSync(file, program)
      const run = promisify(execFile)
      const { stderr } = await run(process.execPath, [path.join(root, "scripts/example.mjs"), file], {
        cwd: project,
        env
      })
      assert.notInclude(stderr, "Error")
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})
