import { Effect, Result, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { makePending } from "../../src/mcp/pending.ts"
import { call, emptyProject, fakePyro, textOf } from "./fakes.ts"

const summary = {
  output: "/project/fix.patch",
  kind: "patch",
  files: 1,
  changedFiles: 1,
  directories: 0,
  symlinks: 0,
  bytes: 10,
  skippedCount: 0,
  skipped: [],
  executableConfig: [],
  warnings: []
} as const

const NOTICE = "the user must allow this export: `pyro answer fix 3f9a1c allow`, or on the page of `pyro ui`"

/** A pyro whose exports wait for `allowed`. */
const asking = (allowed: Promise<void>) => {
  const asked: Array<ExportPayload> = []
  const fake = fakePyro({})
  const pyro = {
    ...fake,
    workspace: {
      ...fake.workspace,
      export: (payload: ExportPayload) => {
        asked.push(payload)
        return Stream.make({ _tag: "Notice", level: "progress", message: NOTICE } as const).pipe(
          Stream.concat(Stream.fromEffect(
            Effect.as(Effect.promise(() => allowed), { _tag: "Exported", summary } as const)
          ))
        )
      }
    }
  }
  return { asked, pyro: pyro as never }
}

const project = {
  ...emptyProject,
  path: "/project",
  destination: (_: string, named: string) => Result.succeed(`/project/${named}`)
}
const words = { workspace_id: "fix", patch: true, output_path: "fix.patch" }

describe("a server that asks the user before each export", () => {
  it("lets a model wait, and gives the result to the next equal call", async () => {
    let allow = () => {}
    const { asked, pyro } = asking(new Promise<void>((resolve) => void (allow = resolve)))
    const pending = makePending(50)
    const options = { pending, project: { ...project, askExport: true } }
    const first = await call(pyro, "workspace_export", words, options)
    assert.isTrue(first.isError)
    assert.match(textOf(first), /not_ready_yet: .*allow this export: .*\banswer fix 3f9a1c allow/)
    assert.match(textOf(first), /call workspace_export again with the same arguments.*The user allows or denies/s)
    allow()
    const second = await call(pyro, "workspace_export", words, options)
    assert.match(textOf(second), /^exported the diff of 1 changed file to \/project\/fix\.patch/)
    assert.deepStrictEqual(asked.map(({ ask }) => ask), [true])
  })

  it("asks for no disk, whose content the user cannot look at", async () => {
    const { pyro } = asking(Promise.resolve())
    const refused = await call(pyro, "workspace_disk_export", { workspace_id: "fix", output_path: "fix.raw" }, {
      project: { ...project, askExport: true }
    })
    assert.isTrue(refused.isError)
    assert.include(textOf(refused), "leave the export of a disk to the user")
  })

  it("asks nothing without the option", async () => {
    const { asked, pyro } = asking(Promise.resolve())
    assert.isUndefined((await call(pyro, "workspace_export", words, { project })).isError)
    assert.deepStrictEqual(asked.map(({ ask }) => ask), [false])
  })
})
