import { Effect, Result } from "effect"
import { assert, describe, it } from "vitest"
import { requireCommand } from "../../../src/contract/rows/exec-validation.ts"
import { demandOneSeed } from "../../../src/lib/seeding/model/request.ts"

const id = "4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"

/** The field that is refused, or nothing. */
const refused = (demand: Effect.Effect<void, { readonly field: string }>) =>
  Result.match(Effect.runSync(Effect.result(demand)), { onFailure: ({ field }) => field, onSuccess: () => undefined })

describe("what an exec is asked for", () => {
  const exec = (asked: object) =>
    refused(requireCommand({ workspace: "w", command: [], detach: false, tty: false, ...asked } as never))

  it("an exec has exactly one of command, script, id and terminal", () => {
    assert.isUndefined(exec({ command: ["true"] }))
    assert.isUndefined(exec({ script: "true" }))
    assert.isUndefined(exec({ script: "" }))
    assert.isUndefined(exec({ tty: true }))
    assert.isUndefined(exec({ execId: id }))
    assert.strictEqual(exec({}), "command")
    assert.strictEqual(exec({ command: ["true"], script: "true" }), "command")
  })

  it("a cursor needs the id of a started command", () => {
    assert.isUndefined(exec({ execId: id, cursor: 0 }))
    assert.strictEqual(exec({ command: ["true"], cursor: 0 }), "cursor")
    assert.strictEqual(exec({ script: "true", cursor: 5 }), "cursor")
    assert.strictEqual(exec({ cursor: 5 }), "cursor")
  })
})

describe("what a workspace starts with", () => {
  const seed = (asked: object) => refused(demandOneSeed({ includeIgnored: [], ...asked }))

  it("a workspace has one seed or none", () => {
    assert.isUndefined(seed({}))
    assert.isUndefined(seed({ seedPath: "/p" }))
    assert.isUndefined(seed({ repoUrl: "https://host/r" }))
    assert.isUndefined(seed({ repoUrl: "https://host/r", repoRef: "main" }))
    assert.strictEqual(seed({ seedPath: "/p", repoUrl: "https://host/r" }), "repo_url")
  })

  it("ignored globs need a directory, and a ref needs a repository", () => {
    assert.isUndefined(seed({ seedPath: "/p", includeIgnored: ["dist"] }))
    assert.strictEqual(seed({ includeIgnored: ["dist"] }), "include_ignored")
    assert.strictEqual(seed({ repoUrl: "https://host/r", includeIgnored: ["dist"] }), "include_ignored")
    assert.strictEqual(seed({ repoRef: "main" }), "repo_ref")
    assert.strictEqual(seed({ seedPath: "/p", repoRef: "main" }), "repo_ref")
  })
})
