import { Effect, Result, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { EnvironmentUnknown } from "../../src/contract/errors/errors.ts"
import { bindProject, type Project } from "../../src/sdk/project.ts"
import { call, emptyProject, fakePyro, textOf } from "./fakes.ts"
import { info } from "./results.ts"

const PYTHON = "docker.io/library/python:3.12-slim"

/** The images that a server pulls, and the environment of the workspace, if a model names an image. */
const asked = async (environment: string, options: Partial<Project>, there: ReadonlyArray<string> = []) => {
  const pulled: Array<string> = []
  const created: Array<string> = []
  const fake = fakePyro({
    create: (payload) => {
      created.push(payload.environment)
      return there.includes(payload.environment) || pulled.includes(payload.environment)
        ? Stream.make({ _tag: "Ready" as const, workspace: info })
        : Stream.fail(new EnvironmentUnknown({ environment: payload.environment, known: ["debian:12"], similar: [] }))
    }
  })
  const pyro = {
    ...fake,
    env: {
      ...fake.env,
      list: () => Effect.succeed({ environments: there.map((name) => ({ name })) } as never),
      pull: (payload: { readonly environment: string; readonly nextMemoryMib?: number }) => {
        pulled.push(payload.environment)
        // A full host refuses before the pull.
        assert.strictEqual(payload.nextMemoryMib, 1024)
        return Stream.make({ _tag: "Notice", level: "progress", message: "fetching layer 1" } as never)
      }
    }
  }
  const result = await call(pyro, "workspace_create", { environment, empty: true }, {
    project: { ...emptyProject, ...options }
  })
  return { pulled, created, isError: result.isError === true, text: textOf(result) }
}

describe("an image that a model names", () => {
  it("is pulled once if a pattern of the server has it", async () => {
    const allowed = { allowImages: ["ghcr.io/team/app:1", "docker.io/library/*"] }
    assert.deepInclude(await asked(PYTHON, allowed), { pulled: [PYTHON], created: [PYTHON], isError: false })
    assert.deepInclude(await asked(PYTHON, allowed, [PYTHON]), { pulled: [], isError: false })
    assert.deepInclude(await asked("ghcr.io/team/app:1", allowed), { pulled: ["ghcr.io/team/app:1"], isError: false })
    assert.deepInclude(await asked(PYTHON, { environment: PYTHON }), { pulled: [PYTHON], isError: false })
  })

  it("is unknown if no pattern has it, and the model reads what its user can do", async () => {
    const allowed = { allowImages: ["docker.io/library/python:*", "ghcr.io/team/a.p:1"] }
    for (
      const other of [
        "docker.io/library/node:22",
        "docker.io/other/python:3",
        "quay.io/library/python:3",
        "ghcr.io/team/app:1"
      ]
    ) {
      const { isError, pulled, text } = await asked(other, allowed)
      assert.deepEqual([isError, pulled], [true, []], other)
      assert.include(text, `pyro env pull ${other}`)
    }
    assert.deepInclude(await asked(PYTHON, {}), { pulled: [], isError: true })
  })

  it("a pattern names one registry", () => {
    for (
      const wide of ["*", "*/library/python:3", "docker.io*", "python:3.12", "*.io/library/*", "docker.io/li brary/*"]
    ) {
      const bound = bindProject({ allowImages: [wide] })
      assert.isTrue(Result.isFailure(bound) && bound.failure.field === "--allow-image", wide)
    }
    for (const right of ["docker.io/*", "localhost:5000/app:*", PYTHON]) {
      assert.isTrue(Result.isSuccess(bindProject({ allowImages: [right] })), right)
    }
  })
})
