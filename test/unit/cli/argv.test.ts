import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/argv.ts"
import { commands } from "../../../src/cli/commands.ts"
import { ends } from "../../../src/contract/ends.ts"

describe("splitting argv", () => {
  it("splitArgv cuts at the first -- and keeps later ones", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--", "a", "--", "b"]), { own: ["run", "x"], rest: ["a", "--", "b"] })
  })

  it("splitArgv distinguishes an empty rest from none", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--"]).rest, [])
    assert.isUndefined(splitArgv(["run", "x"]).rest)
  })
})

describe("finding the operation", () => {
  const found = (...words: ReadonlyArray<string>) => {
    const routed = route(words)
    return routed._tag === "Operation" ? [routed.operation.name, ...routed.words] : routed
  }

  it("route follows the command's path and returns the other words", () => {
    assert.deepStrictEqual(found("run", "debian:12", "--tty"), ["run", "debian:12", "--tty"])
    assert.deepStrictEqual(found("env", "inspect", "debian:12"), ["env.inspect", "debian:12"])
  })

  it("route accepts flags before and between the words of the path", () => {
    assert.deepStrictEqual(found("--json", "env", "list"), ["env.list", "--json"])
    assert.deepStrictEqual(found("env", "--json", "list"), ["env.list", "--json"])
  })

  it("--help shows help for the words before it", () => {
    assert.deepStrictEqual(found(), { _tag: "Help", path: [] })
    assert.deepStrictEqual(found("env", "--help"), { _tag: "Help", path: ["env"] })
    assert.deepStrictEqual(found("run", "debian:12", "-h"), { _tag: "Help", path: ["run"] })
    assert.deepStrictEqual(found("help", "env", "rm"), { _tag: "Help", path: ["env", "rm"] })
  })

  it.each([
    ["ws", undefined],
    ["ls", "workspace.list"],
    ["ps", "workspace.list"],
    ["rm", "workspace.delete"],
    ["ws ls", "workspace.list"],
    ["workspace ps", "workspace.list"],
    ["ws rm", "workspace.delete"],
    ["ws exec", "workspace.exec"],
    ["ws file ls", "workspace.file.list"],
    ["ws snapshot rm", "workspace.snapshot.delete"],
    ["env ls", "env.list"],
    ["env rm", "env.rm"]
  ])("route accepts the short form %j", (typed, operation) => {
    const routed = route(typed.split(" "))
    assert.strictEqual(routed._tag === "Operation" ? routed.operation.name : undefined, operation)
    assert.deepStrictEqual(found("ws", "--help"), { _tag: "Help", path: ["workspace"] })
  })

  const suggested = (typed: string) => {
    const routed = route(typed.split(" "))
    return routed._tag === "Wrong" ? routed.detail : routed
  }

  it.each([
    ["env lst", "list"],
    ["create", "workspace create"],
    ["snapshot", "workspace snapshot"],
    ["workspace edit", "file edit"],
    ["workspace snap", "snapshot"],
    ["workspace delet", "delete"],
    ["workspace delte", "delete"],
    ["workspace deleete", "delete"],
    ["workspace sotp", "stop"],
    ["workspace rseet", "reset"],
    ["daemon stpo", "stop"],
    ["env prnue", "prune"]
  ])("the unknown command %j gets the suggestion %s", (typed, near) => {
    assert.strictEqual(suggested(typed), `no command "${typed}". Did you mean "${near}"?`)
  })

  it("route stops at the first unknown word", () => {
    assert.strictEqual(suggested("snapshot create"), `no command "snapshot". Did you mean "workspace snapshot"?`)
  })

  it.each([
    ["pull", "env pull"],
    ["shell", "workspace attach"],
    ["inspect", "workspace status"],
    ["images", "env list"],
    ["vm", "workspace"],
    ["workspace destroy", "delete"],
    ["workspace kill", "stop"],
    ["workspace del", "delete"],
    ["workspace top", "pyro top"],
    ["workspace stats", "pyro top"],
    ["workspace doctor", "pyro doctor"],
    ["workspace read", "file read"],
    ["workspace show", "status"],
    ["workspace info", "status"],
    ["workspace cat", "file read"],
    ["workspace file cat", "read"],
    ["workspace file cp", "workspace export"],
    ["workspace cp", "export"],
    ["workspace pull", "export"],
    ["workspace sync pull", "workspace export"],
    ["workspace upload", "sync push"],
    ["workspace ssh", "attach"],
    ["workspace run", "exec"],
    ["workspace commit", "snapshot create"],
    ["workspace snapshot save", "create"],
    ["workspace snapshot restore", "workspace reset --snapshot"],
    ["workspace clone", "fork"],
    ["workspace log", "logs"],
    ["workspace restart", `stop" then "start`],
    ["env delete", "rm"],
    ["env show", "inspect"],
    ["daemon ps", "status"],
    ["daemon kill", "stop"],
    ["daemon restart", "stop"]
  ])("the foreign command %j gets the suggestion %s", (typed, own) => {
    assert.strictEqual(suggested(typed), `no command "${typed}". Did you mean "${own}"?`)
    const isThere = (path: ReadonlyArray<string>) =>
      commands.some(({ cli }) => path.every((word, at) => word.startsWith("--") || cli.path[at] === word))
    for (const one of own.split(`" then "`)) {
      const words = one.replace(/^pyro /, "").split(" ")
      assert.isTrue(isThere(words) || isThere([...typed.split(" ").slice(0, -1), ...words]), one)
    }
  })

  it("an unknown command gets no suggestion that is far away or does the opposite", () => {
    // No file is deleted but by a command of the guest.
    for (
      const typed of ["frobnicate", "constructor", "workspace file rm", "workspace sync rm", "env kill", "daemon cp"]
    ) {
      assert.strictEqual(suggested(typed), `no command "${typed}"`)
    }
  })

  it.each([
    "undelete",
    "top",
    "re",
    "res",
    "rest",
    "sto",
    "step",
    "strop",
    "atop",
    "d",
    "de",
    "preset",
    "resent",
    "deletion"
  ])(
    "the harmless word %j leads to nothing that ends something",
    (word) => {
      const paths = commands.filter(ends).map(({ cli }) => cli.path.join(" "))
      for (const front of ["", "workspace ", "workspace snapshot ", "env ", "daemon ", "host "]) {
        const detail = suggested(front + word)
        if (typeof detail !== "string") continue
        const [, near] = /Did you mean "(.*)"/.exec(detail) ?? []
        assert.notInclude([...paths, ...paths.map((path) => path.replace(front, ""))], near)
      }
    }
  )

  it("an environment that is exported or imported gets the commands that build it elsewhere", () => {
    assert.include(suggested("env export"), `. An environment does not move between hosts: "pyro env inspect"`)
    assert.notInclude(suggested("workspace push"), "environment")
  })

  it.each([
    ["--foo", "--foo"],
    ["-x", "-x"],
    ["env --foo", "--foo"],
    ["ws --quiet -x", "-x"],
    ["--allow-host=npm --foo=1", "--foo=1"]
  ])("an unknown option without a command names itself: %s", (typed, option) => {
    assert.strictEqual(suggested(typed), `no option ${option}`)
  })

  it("options without a command keep the message that the command is missing", () => {
    assert.strictEqual(suggested("--json"), "no command before --json")
    assert.strictEqual(suggested("env --json"), `"pyro env" needs a verb`)
    assert.strictEqual(suggested("--verison"), "no option --verison. Did you mean --version?")
  })
})
