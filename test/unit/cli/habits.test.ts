import { Stream } from "effect"
import { assert, describe, it } from "vitest"
import { catalogue } from "../../../src/lib/environment/model/catalogue.ts"
import { on, REAL_TERMINAL } from "./on.ts"
import { shown } from "./shown.ts"

describe("habits of other tools", () => {
  it("a command gets one pipe for stdout and stderr if those of pyro are one, and a person sees its output", async () => {
    const exited = { _tag: "Exited", outcome: "exited", status: 0, durationMs: 1 }
    const orderOf = async (words: ReadonlyArray<string>, terminal: Parameters<typeof on>[1] = {}) => {
      const argv = ["workspace", "exec", "fix", ...words, "--", "true"]
      const { called } = await on(argv, {
        answers: { "workspace.exec": exited },
        terminal: { outputsAreOne: true, ...terminal.terminal }
      })
      return (called.find(([name]) => name === "workspace.exec")?.[1] as { readonly order?: string }).order
    }
    assert.strictEqual(await orderOf([]), "written")
    assert.strictEqual(await orderOf(["--order", "stream"]), "stream")
    assert.isUndefined(await orderOf([], { terminal: { outputsAreOne: false } }))
    for (const words of [["--json"], ["--detach"]]) assert.isUndefined(await orderOf(words), words.join())
    const { requests } = await on(["run", "debian:12", "--", "true"], { terminal: { outputsAreOne: true } })
    assert.strictEqual(requests[0]?.order, "written")
  })

  const encoded = (text: string) => Stream.make(new TextEncoder().encode(text))
  const two = [{ id: "ws-0123456789", name: "fix" }, { id: "ws-0123456780" }]
  const deletions = {
    "workspace.list": { workspaces: two },
    "saved.list": { saved: [] },
    "workspace.delete": { deleted: two.map(({ id }) => id), names: ["fix", "ws-0123456780"] }
  }

  it("delete --all asks on a terminal", async () => {
    const all = ["workspace", "delete", "--all"]
    const question = "err Delete all 2 workspaces (fix, ws-0123456780) with everything in them? [y/N] "
    const no = await on(all, { answers: deletions, terminal: { ...REAL_TERMINAL, stdin: encoded("\n") } })
    assert.deepStrictEqual([no.status, no.journal.slice(1)], [1, [question, "err nothing was deleted\n"]])
    assert.deepStrictEqual(no.called.map(([name]) => name), ["workspace.list", "saved.list"])
    const yes = await on(all, { answers: deletions, terminal: { ...REAL_TERMINAL, stdin: encoded("y\n") } })
    assert.deepStrictEqual([yes.status, yes.journal.at(-1)], [0, "out deleted fix\ndeleted ws-0123456780\n"])
    for (const quiet of [{ argv: [...all, "--yes"], terminal: REAL_TERMINAL }, { argv: all, terminal: {} }]) {
      const { called } = await on(quiet.argv, { answers: deletions, terminal: quiet.terminal })
      assert.deepStrictEqual(called.map(([name]) => name), ["workspace.delete"])
    }
  })

  it("delete prints the names that were given", async () => {
    const { journal } = await on(["rm", "ws-0123456789", "ws-0123456780"], { answers: deletions })
    assert.strictEqual(journal.at(-1), "out deleted ws-0123456789\ndeleted ws-0123456780\n")
    const named = await on(["rm", "fix", "ws-0123456780"], { answers: deletions })
    assert.strictEqual(named.journal.at(-1), "out deleted fix\ndeleted ws-0123456780\n")
  })

  it("list --id-only prints only ids", async () => {
    const { journal } = await on(["ls", "--id-only"], { answers: deletions })
    assert.strictEqual(journal.at(-1), "out ws-0123456789\nws-0123456780\n")
    const none = await on(["ls", "--id-only"], { answers: { "workspace.list": { workspaces: [] } } })
    assert.deepStrictEqual(none.journal.slice(1).join(""), "out ")
  })

  it("env list shows the age of each image", async () => {
    const environment = {
      name: "web",
      origin: "own",
      state: "ready",
      description: "d",
      sizeBytes: 1,
      digest: "sha256:1"
    }
    const { journal } = await on(["env", "ls"], {
      answers: {
        "env.list": { environments: [{ ...environment, builtAt: new Date(Date.now() - 7_200_000).toISOString() }] }
      }
    })
    assert.match(journal.at(-1) ?? "", /NAME +ORIGIN +STATE +BUILT.*\nweb +own +ready +2 h ago/)
  })
})

describe("env list", () => {
  it("fits on a terminal of 80 columns, with the whole names of pyro's environments", async () => {
    const environments = catalogue.map(({ description, name }) => ({
      name,
      description,
      origin: "catalogue" as const,
      state: "outdated" as const,
      sizeBytes: 999 * 1024 ** 2,
      digest: `sha256:${"a".repeat(64)}`,
      builtAt: "2026-01-01T00:00:00.000Z"
    }))
    const { out } = await shown("env.list", { environments }, {}, true, 80)
    const lines = out.split("\n").map((line) => line.replace(/\u001b\[\d+m/g, ""))
    for (const line of lines) assert.isAtMost(line.length, 80, line)
    for (const { name } of catalogue) assert.isTrue(lines.some((line) => line.startsWith(`${name} `)), name)
    assert.include(lines.find((line) => line.startsWith("builder")), "pyro's own")
  })
})

describe("workspace logs --follow", () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const execId = "4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"
  const events = [
    { _tag: "Started", execId },
    { _tag: "Output", from: "stdout", bytes: bytes("so far\n"), next: 7 },
    { _tag: "Output", from: "stderr", bytes: bytes("then\n"), next: 12 },
    { _tag: "Exited", outcome: "exited", status: 3, durationMs: 1 }
  ]
  const running = {
    "workspace.status": { running: [{ execId: "0".repeat(32) }, { execId }] },
    "workspace.exec": events
  }

  it("logs --follow prints the command's output and its status, and exits with 0", async () => {
    for (const argv of [["logs", "fix", execId, "-f"], ["logs", "fix", "--exec-id", execId, "--follow"]]) {
      const { called, journal, status } = await on(["workspace", ...argv, "--cursor", "4"], { answers: running })
      assert.deepStrictEqual([status, journal], [
        0,
        ["built", "out so far\n", "err then\n", "err pyro: the command ended with status 3\n"]
      ])
      assert.deepStrictEqual(called.map(([name]) => name), ["workspace.exec"])
      assert.deepInclude(called[0]?.[1], {
        workspace: "fix",
        execId,
        cursor: 4,
        command: [],
        detach: false,
        tty: false
      })
    }
  })

  it("logs --follow without an id follows the newest running command", async () => {
    const { called, status } = await on(["workspace", "logs", "fix", "--follow"], { answers: running })
    assert.strictEqual(status, 0)
    assert.deepInclude(called.at(-1)?.[1], { execId, cursor: 0 })
  })

  it("logs --follow follows the newest command if none runs, and says so if none ever ran", async () => {
    const ended = { "workspace.status": {}, "workspace.logs": { commands: [{ execId }] }, "workspace.exec": events }
    const { called } = await on(["workspace", "logs", "fix", "--follow"], { answers: ended })
    assert.deepInclude(called.at(-1)?.[1], { execId })
    const none = await on(["workspace", "logs", "fix", "-f"], {
      answers: { ...ended, "workspace.logs": { commands: [] } }
    })
    assert.deepStrictEqual([none.status, none.journal.slice(1)], [0, ["err no commands in fix yet\n"]])
  })

  it("logs --follow refuses --json and the options of a page", async () => {
    const json = await on(["workspace", "logs", "fix", "--follow", "--json"])
    assert.deepStrictEqual([json.status, json.called], [2, []])
    assert.include(
      json.journal.join(""),
      "--follow: cannot be combined with --json; pyro exec fix --exec-id ID --json"
    )
    for (const option of ["--limit=1", "--max-bytes=1", "--encoding=base64"]) {
      const { called, journal, status } = await on(["workspace", "logs", "fix", "-f", option])
      assert.deepStrictEqual([status, called], [2, []])
      assert.include(journal.join(""), `--follow: cannot be combined with ${option.split("=")[0]}`)
    }
  })

  it("an empty list of commands or snapshots names the workspace", async () => {
    const commands = await on(["workspace", "logs", "fix"], { answers: { "workspace.logs": { commands: [] } } })
    assert.deepStrictEqual(commands.journal.slice(1), ["err no commands in fix yet\n"])
    const answers = { "workspace.snapshot.list": { snapshots: [] } }
    const snapshots = await on(["workspace", "snapshot", "list", "fix"], { answers })
    assert.deepStrictEqual(snapshots.journal.slice(1), [
      "err no snapshots of fix; create one: pyro snapshot create fix NAME\n"
    ])
  })
})
