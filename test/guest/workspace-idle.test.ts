import * as fs from "node:fs"
import { connect } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { checkedTerminal } from "../support/cli/checked-terminal.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { counter } from "../support/workspace/counter.ts"

// Few layers are a long chain, and the directory of memory files can vanish as in a reboot.
const memory = fs.mkdtempSync("/dev/shm/pyro-idle-")
const pyro = installation("pyro-idle-", { env: { PYRO_FLATTEN_AT: "2", PYRO_MEMORY_DIR: memory } })
const { create, env, json, sh, state, status } = pyro
afterAll(async () => {
  await pyro.close()
  fs.rmSync(memory, { recursive: true, force: true })
})

/** The answer of the counter: each request is a connection of its own, which ends with the answer. */
const counted = (port: number) =>
  new Promise<string>((resolve, reject) => {
    let answer = ""
    connect(port, "127.0.0.1").on("data", (piece) => answer += piece.toString()).on("error", reject)
      .on("end", () => resolve(answer.split("\r\n\r\n")[1] ?? ""))
      .end("GET / HTTP/1.0\r\n\r\n")
  })

describe("a workspace that is paused after a time without a use", { concurrent: false }, () => {
  let id = ""
  let port = 0
  const isPaused = async () => (await status("w")).state === "paused"
  const kinds = async () =>
    (await json<{ readonly entries: ReadonlyArray<{ readonly kind: string; readonly text: string }> }>(
      ["timeline", "w", "--only", "events"]
    )).entries

  beforeAll(async () => {
    id = (await create(["--name", "w", "--pause-after", "2s"])).id
    const { ports } = await json<{ readonly ports: ReadonlyArray<{ readonly host_port: number }> }>(
      ["service", "start", "w", "web", "--ready-tcp", "8000", "--publish", "8000", "--", "python3", "-c", counter]
    )
    port = ports[0]!.host_port
    await sh("w", "echo kept > /run/memory")
  })

  it("a workspace that only serves is paused, and a client of its published port resumes the server", async () => {
    assert.strictEqual(await counted(port), "1")
    await until("the pause", isPaused)
    assert.strictEqual(await counted(port), "2")
    assert.include((await kinds()).map(({ text }) => text), "paused: nothing used it for 2 s; its memory is on disk")
    assert.notInclude((await kinds()).map(({ kind }) => kind), "pause_failed")
  })

  it("a command resumes a paused workspace, and keeps it awake until its end", async () => {
    await until("the pause", isPaused)
    assert.strictEqual(await sh("w", "cat /run/memory"), "kept")
    const { exec_id: command } = await json<{ readonly exec_id: string }>(
      ["exec", "w", "--detach", "--", "sh", "-c", "until [ -e /tmp/end ]; do sleep 0.1; done"]
    )
    await create(["--name", "witness", "--pause-after", "1s"])
    await until("the pause of the other one", async () => (await status("witness")).state === "paused", 60_000)
    assert.strictEqual((await status("w")).state, "running")
    await json(["delete", "witness"])
    await sh("w", "touch /tmp/end")
    await json(["exec", "w", "--exec-id", command])
    await until("the pause", isPaused)
  })

  it("the memory goes on after a collection of garbage and a reboot of the host, which takes every process and memory file", async () => {
    await json(["update", "w", "--pause-after", "0"])
    await sh("w", "true")
    await json(["pause", "w"])
    await json(["gc"])
    await json(["daemon", "stop"])
    fs.rmSync(memory, { recursive: true })
    fs.rmSync(path.join(state, "vms"), { recursive: true })
    fs.rmSync(path.join(state, "daemon"), { recursive: true, force: true })
    fs.mkdirSync(memory)
    assert.strictEqual((await status("w")).state, "paused")
    assert.strictEqual(await sh("w", "cat /run/memory"), "kept")
    assert.strictEqual(await counted(port), "3")
  })

  it("the memory goes on over merged layers, however often a workspace is paused", async () => {
    const layers = () => {
      const folder = path.join(state, "workspaces", id)
      const disk = fs.readdirSync(folder).find((name) => name.startsWith("disk-"))!
      return fs.readdirSync(path.join(folder, disk)).filter((name) => name.endsWith(".qcow2")).length
    }
    const lengths: Array<number> = []
    for (let round = 0; round < 8; round++) {
      await sh("w", `echo ${round} > round; sync`)
      await json(["pause", "w"])
      lengths.push(layers())
    }
    assert.isAtMost(Math.max(...lengths), 4, lengths.join(" "))
    assert.strictEqual(await sh("w", "cat round /run/memory"), "7\nkept")
    assert.strictEqual(await counted(port), "4")
  })

  it("a timeout of a command does not count the pause", async () => {
    const { exec_id: command } = await json<{ readonly exec_id: string }>(
      ["exec", "w", "--detach", "--timeout-seconds", "3600", "--", "sleep", "infinity"]
    )
    const deadline = () => {
      const lines = fs.readFileSync(path.join(state, "workspaces", id, "commands.jsonl"), "utf8").trim().split("\n")
      const starts = lines.flatMap((line) => {
        const { started } = JSON.parse(line) as {
          readonly started?: { readonly id: string; readonly deadlineMs?: number }
        }
        return started?.id === command ? [started.deadlineMs ?? 0] : []
      })
      return starts.at(-1)!
    }
    const before = deadline()
    const beginsMs = Date.now()
    await json(["pause", "w"])
    const pausedMs = Date.now()
    const { running } = await json<{ readonly running: ReadonlyArray<{ readonly exec_id: string }> }>(["status", "w"])
    assert.deepStrictEqual(running.map(({ exec_id }) => exec_id), [command])
    const resumesMs = Date.now()
    await json(["resume", "w"])
    const shift = deadline() - before
    assert.isAtLeast(shift, resumesMs - pausedMs)
    assert.isAtMost(shift, Date.now() - beginsMs)
    await json(["cancel", "w", command])
  })

  it("a pause detaches a terminal with the reason, and the shell goes on", async () => {
    const { shell_id: shell } = await json<{ readonly shell_id: string }>(["shell", "open", "w"])
    const attached = checkedTerminal(["attach", "w", shell], { env })
    attached.terminal.write("kept=42; echo is $kept\r")
    await attached.seen("is 42")
    await json(["pause", "w"])
    await attached.seen("modes restored")
    assert.include(attached.shown(), "is paused")
    assert.strictEqual(await attached.ended, 125)
    await json(["shell", "write", "w", shell, "--input", "echo still $kept", "--key", "enter"])
    const { waited } = await json<{ readonly waited: string }>(
      ["shell", "read", "w", shell, "--plain", "--wait-for", "still 42"]
    )
    assert.strictEqual(waited, "found")
  })
})
