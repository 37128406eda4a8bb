import { assert, describe, it } from "vitest"
import { changeOf } from "../../../src/project/differences.ts"

describe("a changed file of a project", () => {
  const before = {
    environment: "debian:12",
    memory: 512,
    setup: ["a", "b"],
    network: { allow_hosts: ["npm"] },
    env: { CI: "1" }
  }

  it("is applied but for what only a new workspace has, which stays as it was", () => {
    const change = changeOf(before, {
      environment: "debian:13",
      memory: 512,
      setup: ["a", "b", "c"],
      network: { allowHosts: ["npm", "pypi"] }
    }, 2)
    assert.deepStrictEqual(change.applicable.map(({ key }) => key), ["env.CI", "network.allow_hosts", "setup"])
    assert.deepStrictEqual(change.ofNew, [{ key: "environment", before: "debian:12", now: "debian:13" }])
    assert.deepEqual(change.after as object, {
      memory: 512,
      environment: "debian:12",
      setup: ["a", "b", "c"],
      network: { allow_hosts: ["npm", "pypi"] }
    })
  })

  it("needs a new workspace for setup commands other than those that ran", () => {
    const change = (setup: ReadonlyArray<string>, setUp: number) =>
      changeOf(before, { environment: "debian:12", memory: 512, setup }, setUp).ofNew.map(({ key }) => key)
    assert.deepStrictEqual(change(["a", "x"], 2), ["setup"])
    assert.deepStrictEqual(change(["a"], 2), ["setup"])
    // The second one failed, and was corrected.
    assert.deepStrictEqual(change(["a", "x"], 1), [])
  })
})
