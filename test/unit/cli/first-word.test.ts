import { Stream } from "effect"
import { assert, describe, it } from "vitest"
import { EnvironmentUnknown, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { typedMessage } from "../../../src/contract/rows/next-steps.ts"
import { similarEnvironments } from "../../../src/contract/text/similar.ts"
import { on, REAL_TERMINAL } from "./on.ts"

const unknownOf = (environment: string, file: { readonly path?: string; readonly line?: number } = {}) =>
  new EnvironmentUnknown({
    environment,
    known: ["debian:12"],
    similar: similarEnvironments(environment, ["debian:12"]),
    ...file
  })

describe("a word that was taken for the environment", () => {
  const told = async (...argv: ReadonlyArray<string>) => {
    const unknown = unknownOf(argv.at(-1) ?? "")
    const { journal } = await on(argv, {
      answers: { "workspace.create": unknown },
      run: () => Stream.fail(unknown),
      terminal: argv[0] === "run" ? REAL_TERMINAL : {}
    })
    return journal.at(-1)
  }
  const unknown = (name: string) => `no environment "${name}". Known environments: debian:12. List them: pyro env list`

  it("an unknown environment in create gets the suggestion --name", async () => {
    assert.strictEqual(
      await told("workspace", "create", "--seed-path", ".", "calc"),
      `err pyro: ${unknown("calc")}\nDid you mean --name calc?\n`
    )
    assert.include(await told("workspace", "create", "--json", "calc"), JSON.stringify(unknown("calc")))
  })

  it("an unknown environment of a file is no word of the command line, and gets the name of a near one", async () => {
    const ofFile = async (environment: string) => {
      const absent = unknownOf(environment, { path: "/app/Dockerfile", line: 1 })
      const { journal } = await on(["create", "--name", "x"], { answers: { "workspace.create": absent } })
      return journal.at(-1)
    }
    const said = (name: string, near = ". ") =>
      `err pyro: /app/Dockerfile:1 names localhost/${name}, and this host has no such environment. Known environments: debian:12${near}Let the file name a known one with localhost/ before it, or another image\n`
    for (const name of ["../x", "x", "ubuntu"]) assert.strictEqual(await ofFile(name), said(name))
    assert.strictEqual(await ofFile("debain:12"), said("debain:12", ". Did you mean localhost/debian:12? "))
  })

  it("an unknown environment gets no suggestion if the workspace has a name", async () => {
    for (const words of [["--name", "x", "calc"], ["--name=x", "calc"]]) {
      assert.strictEqual(
        await told("workspace", "create", ...words),
        `err pyro: ${unknown(words.at(-1) ?? "")}\n`
      )
    }
  })

  it("an unknown environment that is similar to a known one gets its name", async () => {
    for (const word of ["debian", "debian12", "Debian12", "debain:12", "debian-slim"]) {
      for (const words of [["create", "--name", "x"], ["create"], ["run"]]) {
        assert.strictEqual(
          await told(...words, word),
          `err pyro: no environment "${word}". Known environments: debian:12. Did you mean debian:12? List them: pyro env list\n`
        )
      }
    }
  })

  it.each([
    [".", "Did you mean --seed-path .?"],
    ["./calc", "Did you mean --seed-path ./calc?"],
    ["ubuntu:22.04", "An image needs its full reference, such as docker.io/library/ubuntu:22.04"],
    ["ubuntu", "An image needs its full reference, such as docker.io/library/ubuntu:latest"]
  ])("the unknown environment %s gets a next step in create and run", async (word, advice) => {
    for (const words of [["create", "--name", "x"], ["create"], ["run"]]) {
      assert.strictEqual(await told(...words, word), `err pyro: ${unknown(word)}\n${advice}\n`)
    }
  })

  it("an unknown agent host or agent gets the list of the known ones, and the nearest", async () => {
    const host = await on(["host", "connect", "nosuch"])
    assert.match(host.journal[0] ?? "", /^err pyro: <host>: "nosuch" is none of claude-code, codex, .*, kilo\nsee: /)
    const agent = await on(["agent", "claud"])
    assert.include(
      agent.journal.at(-1),
      `err pyro: <agent>: "claud" is none of claude-code, codex, opencode, gemini. Did you mean "claude-code"?\n`
    )
  })

  it("an unknown environment in run gets the suggestion to name one before the command", async () => {
    const advice = "the first word is the environment: pyro run debian:12 ls"
    assert.strictEqual(await told("run", "ls"), `err pyro: ${unknown("ls")}\n${advice}\n`)
    assert.include(await told("run", "cat", "a b"), "the first word is the environment: pyro run debian:12 ")
    const { journal, requests } = await on(["run", "ls"], { answers: { "env.list": { environments: [] } } })
    assert.strictEqual(journal.at(-1), `err pyro: command: nothing to run; ${advice}\nsee: pyro run --help\n`)
    assert.deepStrictEqual(requests, [])
  })

  it.each([
    ["app", { origin: "image" }, true],
    ["app", { origin: "own", from: "debian:12", fromWorkspace: "ws-1" }, true],
    ["app", { origin: "own", from: "docker.io/library/python:3.12", addedPackages: ["jq"] }, true],
    ["app", { origin: "own", from: "base", addedPackages: ["jq"] }, true],
    ["app", { origin: "own", from: "debian:12", addedPackages: ["jq"] }, false],
    ["docker.io/library/python:3.12", { origin: "image" }, true]
  ])("%s without a command: the environment %j has its own, %s", async (name, one, isOfImage) => {
    const known = { description: "", state: "ready" }
    const environments = [{ name, ...known, ...one }, { name: "base", ...known, origin: "image" }]
    const { journal, requests } = await on(["run", name], { answers: { "env.list": { environments } } })
    assert.strictEqual(requests.length, isOfImage ? 1 : 0)
    if (!isOfImage) assert.match(journal.at(-1) ?? "", /nothing to run; the first word is the environment/)
  })
})

describe("the guest's command without --", () => {
  it("an option of the guest's program gets the missing environment, whatever docker calls by that name", async () => {
    for (const option of ["-c", "-m", "-v", "-la"]) {
      const { journal } = await on(["run", "python3", option, "x"])
      assert.deepStrictEqual(journal, [
        `err pyro: no option ${option}; the first word is the environment: pyro run debian:12 python3 ${option} x\n` +
        "see: pyro run --help\n"
      ])
    }
  })

  const exited = [{ _tag: "Started", execId: "0".repeat(32) }, {
    _tag: "Exited",
    outcome: "exited",
    status: 0,
    durationMs: 1
  }]

  it("options after the command's first word are the command's", async () => {
    const { called, status } = await on(["exec", "fix", "--cwd", "src", "git", "log", "--json", "--help", "--", "x"], {
      answers: { "workspace.exec": exited }
    })
    assert.strictEqual(status, 0)
    assert.deepInclude(called[0]?.[1], {
      workspace: "fix",
      cwd: "src",
      command: ["git", "log", "--json", "--help", "--", "x"]
    })
    const { requests } = await on(["run", "debian:12", "ls", "-la"])
    assert.deepInclude(requests[0], { environment: "debian:12", command: ["ls", "-la"] })
  })

  it("a command in the place of the workspace that PYRO_WORKSPACE names gets the command line that was meant", async () => {
    const terminal = { ...REAL_TERMINAL, workspace: "fix" }
    const unknown = new WorkspaceNotFound({ workspace: "make", similar: [] })
    const advice = "PYRO_WORKSPACE names the workspace: pyro exec -- make"
    for (const [words, others] of [[["exec", "make"], ""], [["exec", "make", "test"], " test"]] as const) {
      const { journal } = await on(words, { terminal, answers: { "workspace.exec": unknown } })
      assert.strictEqual(journal.at(-1), `err pyro: ${typedMessage(unknown)}\n${advice}${others}\n`)
      const other = await on(words, { terminal: REAL_TERMINAL, answers: { "workspace.exec": unknown } })
      assert.strictEqual(other.journal.at(-1), `err pyro: ${typedMessage(unknown)}\n`)
    }
    const { journal } = await on(["exec", "make", "-j4"], { terminal })
    assert.deepStrictEqual(journal, [`err pyro: no option -j4; ${advice} -j4\nsee: pyro exec --help\n`])
  })

  it("a workspace that is gone and that only PYRO_WORKSPACE names gets the name of the variable", async () => {
    const gone = new WorkspaceNotFound({ workspace: "gone", similar: [] })
    const answers = { "workspace.exec": gone, "workspace.summary": gone }
    const terminal = { workspace: "gone" }
    for (const words of [["exec", "--", "ls"], ["summary"]]) {
      const { journal } = await on(words, { terminal, answers })
      assert.strictEqual(journal.at(-1), `err pyro: ${typedMessage(gone)}\n"gone" is named by PYRO_WORKSPACE\n`)
    }
    const { journal } = await on(["summary", "gone"], { terminal, answers })
    assert.strictEqual(journal.at(-1), `err pyro: ${typedMessage(gone)}\n`)
  })

  it("exec without a command gives an example that works, also for a command in the place of PYRO_WORKSPACE's workspace", async () => {
    const said = async (words: ReadonlyArray<string>, workspace?: string) =>
      (await on(words, workspace === undefined ? {} : { terminal: { workspace } })).journal
    const refused = (advice: string) => [`err pyro: command: nothing to run; ${advice}\nsee: pyro exec --help\n`]
    assert.deepStrictEqual(await said(["exec", "fix"]), refused("for example: pyro exec fix ls"))
    assert.deepStrictEqual(await said(["exec"], "fix"), refused("for example: pyro exec fix ls"))
    assert.deepStrictEqual(await said(["exec", "fix"], "fix"), refused("for example: pyro exec fix ls"))
    assert.deepStrictEqual(
      await said(["exec", "ls"], "fix"),
      refused("PYRO_WORKSPACE names the workspace: pyro exec -- ls")
    )
  })

  it("an unknown option of an agent or of its host names where that program's options go", async () => {
    const host = await on(["host", "connect", "codex", "--fooo"])
    assert.include(host.journal[0], "no option --fooo; options of pyro mcp serve go after --\n")
    const agent = await on(["agent", "codex", "--full-auto"])
    assert.include(agent.journal.at(-1), "no option --full-auto; the agent's options go after --\n")
  })
})
