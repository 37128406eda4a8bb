import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/argv.ts"

describe("splitting argv", () => {
  it("cuts at the first -- and leaves later ones alone", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--", "a", "--", "b"]), { own: ["run", "x"], rest: ["a", "--", "b"] })
  })

  it("tells an empty rest from none", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--"]).rest, [])
    assert.isUndefined(splitArgv(["run", "x"]).rest)
  })
})

describe("finding the operation", () => {
  const found = (...words: ReadonlyArray<string>) => {
    const routed = route(words)
    return routed._tag === "Operation" ? [routed.operation.name, ...routed.words] : routed
  }

  it("follows the path and hands on the other words", () => {
    assert.deepStrictEqual(found("run", "debian:12", "--tty"), ["run", "debian:12", "--tty"])
    assert.deepStrictEqual(found("env", "inspect", "debian:12"), ["env.inspect", "debian:12"])
  })

  it("takes flags before and between the words of the path", () => {
    assert.deepStrictEqual(found("--json", "env", "list"), ["env.list", "--json"])
    assert.deepStrictEqual(found("env", "--json", "list"), ["env.list", "--json"])
  })

  it("shows help for whatever was typed so far", () => {
    assert.deepStrictEqual(found(), { _tag: "Help", path: [] })
    assert.deepStrictEqual(found("env", "--help"), { _tag: "Help", path: ["env"] })
    assert.deepStrictEqual(found("run", "debian:12", "-h"), { _tag: "Help", path: ["run"] })
    assert.deepStrictEqual(found("help", "env", "rm"), { _tag: "Help", path: ["env", "rm"] })
  })

  it("suggests what is near", () => {
    assert.deepInclude(found("env", "lst"), { _tag: "Wrong", detail: `no command "env lst"; did you mean "list"?` })
    assert.deepInclude(found("create"), {
      _tag: "Wrong",
      detail: `no command "create"; did you mean "workspace create"?`
    })
    assert.deepInclude(found("snapshot", "create"), {
      _tag: "Wrong",
      detail: `no command "snapshot"; did you mean "workspace snapshot"?`
    })
    assert.deepInclude(found("frobnicate"), { _tag: "Wrong", detail: `no command "frobnicate"` })
  })
})
