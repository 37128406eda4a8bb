import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"

/** Processes that were started as the daemon of a state directory. */
const daemonsOf = (state: string) =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      return args.includes("__daemon") &&
        fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(`PYRO_STATE_DIR=${state}\0`)
    } catch {
      return false
    }
  })

/** A process that nobody has reaped yet is dead all the same. */
const isAlive = (pid: number) => {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]![0] !== "Z"
  } catch {
    return false
  }
}

describe("the daemon without workspaces", () => {
  const pyro = installation("pyro-daemon-")
  const { call, daemon, daemonPid, json, list, state } = pyro
  const socket = path.join(state, "daemon", "socket")
  afterAll(pyro.close)

  it("five concurrent clients start one daemon, and all are served", async () => {
    assert.isFalse((await daemon()).running)
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => call(["workspace", "list", "--json"])))
    for (const { code, stderr, stdout } of all) {
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(JSON.parse(stdout.toString()), { workspaces: [] })
    }
    const pid = await daemonPid()
    await until("the others to leave", () => daemonsOf(state).length === 1)
    assert.deepStrictEqual(daemonsOf(state), [String(pid)])
  })

  it("the daemon has its own session, and no other user can connect", async () => {
    await list()
    const pid = await daemonPid()
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
    assert.strictEqual(Number(stat[3]), pid)
    assert.strictEqual(fs.readlinkSync(`/proc/${pid}/cwd`), "/")
    assert.strictEqual(fs.statSync(socket).mode & 0o777, 0o600)
    assert.strictEqual(fs.statSync(path.dirname(socket)).mode & 0o777, 0o700)
  })

  it("no process of the daemon has a variable of its caller that it does not need", async () => {
    await json(["daemon", "stop"])
    const { code } = await call(["workspace", "list"], { env: { API_TOKEN: "value-of-a-secret", LC_TIME: "C" } })
    assert.strictEqual(code, 0)
    const environments = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        return [fs.readFileSync(`/proc/${pid}/environ`, "utf8")]
      } catch {
        return []
      }
    }).filter((one) => one.includes(`PYRO_STATE_DIR=${state}\0`))
    // The daemon and its watchdog.
    assert.isAtLeast(environments.length, 2)
    for (const one of environments) {
      assert.notInclude(one, "value-of-a-secret")
      assert.include(one, "LC_TIME=C")
    }
  })

  it("daemon stop removes the socket and the record", async () => {
    await list()
    const pid = await daemonPid()
    assert.deepStrictEqual(await json(["daemon", "stop"]), { stopped: true })
    assert.isFalse(isAlive(pid))
    assert.deepStrictEqual(fs.readdirSync(path.dirname(socket)).sort(), ["lock", "log"])
    assert.deepStrictEqual(await json(["daemon", "stop"]), { stopped: false })
  })

  it("a new daemon starts over the socket, record and lock of a killed one", async () => {
    await list()
    const pid = await daemonPid()
    process.kill(pid, "SIGKILL")
    await until("its end", () => !isAlive(pid))
    assert.isTrue(fs.existsSync(socket))
    assert.deepStrictEqual(await list(), [])
    assert.notStrictEqual(await daemonPid(), pid)
  })

  it("the daemon replaces a foreign socket and a file at its socket path", async () => {
    for (
      const leave of [
        () =>
          new Promise<void>((resolve) => {
            const script = `require("net").createServer().listen(${
              JSON.stringify(socket)
            }, () => process.kill(process.pid, "SIGKILL"))`
            spawnSync(process.execPath, ["-e", script])
            resolve()
          }),
        () => fs.writeFileSync(socket, "")
      ]
    ) {
      await json(["daemon", "stop"])
      await leave()
      assert.isTrue(fs.existsSync(socket))
      assert.deepStrictEqual(await list(), [])
    }
  })

  it("the daemon survives a killed client and an invalid request", async () => {
    const pid = await daemonPid()
    const nonsense = net.connect(socket)
    await new Promise((resolve) => nonsense.write(Buffer.alloc(100_000, 0xc1), resolve))
    nonsense.destroy()
    await call(["workspace", "list"], { onStart: (child) => setTimeout(() => child.kill("SIGKILL"), 100) })
    assert.deepStrictEqual(await list(), [])
    assert.strictEqual(await daemonPid(), pid)
  })

  it("a client waits for a daemon that is stopped for a while, and is served", async () => {
    const pid = await daemonPid()
    process.kill(pid, "SIGSTOP")
    let isServed = false
    const listed = list().finally(() => isServed = true)
    // Longer than the library's ping would wait.
    await lapsed(11_000)
    assert.isFalse(isServed)
    process.kill(pid, "SIGCONT")
    assert.deepStrictEqual(await listed, [])
    assert.strictEqual(await daemonPid(), pid)
  })

  it("the daemon's log has each line once", async () => {
    const { text } = await json<{ readonly text: string }>(["daemon", "logs"])
    const lines = text.trim().split("\n")
    assert.isAbove(lines.length, 0)
    assert.strictEqual(new Set(lines).size, lines.length)
  })

  it("an ended daemon leaves no lock, file or process", async () => {
    await json(["daemon", "stop"])
    await until("its watchdog's end", () => !execFileSync("ps", ["-eo", "args"]).toString().includes(state))
    execFileSync("flock", ["--nonblock", path.join(state, "daemon", "lock"), "true"])
  })
})

describe("a daemon in odd places", () => {
  it("an idle daemon exits", async () => {
    const pyro = installation("pyro-idle-", { env: { PYRO_DAEMON_IDLE_MS: "300" } })
    await pyro.list()
    await until("its leaving", async () => !(await pyro.daemon()).running)
    assert.deepStrictEqual(await pyro.list(), [])
    await pyro.close()
  })

  it.each(["with spaces and 'quotes'", "ünïcode", path.join("x".repeat(100), "y".repeat(100))])(
    "the daemon works with a state directory %s",
    async (name) => {
      const pyro = installation("pyro-odd-", { state: name })
      assert.deepStrictEqual(await pyro.list(), [])
      const pid = await pyro.daemonPid()
      assert.deepStrictEqual(await pyro.list(), [])
      assert.strictEqual(await pyro.daemonPid(), pid)
      await pyro.close()
    }
  )

  it("the daemon reports an unusable state directory", async () => {
    const pyro = installation("pyro-nodir-")
    fs.writeFileSync(pyro.state, "")
    const { code } = await pyro.failure(["workspace", "list"])
    assert.strictEqual(code, "state_directory_unusable")
    fs.rmSync(pyro.state)
    // What no error of the contract is, comes from the daemon's log, in one line.
    fs.mkdirSync(pyro.state)
    fs.writeFileSync(path.join(pyro.state, "vms"), "")
    const refused = await pyro.failure(["workspace", "list"])
    assert.match(
      refused.message,
      /it ended with status 1: [^\n]*ENOTDIR[^\n]*vms[^\n]*. Show its log: pyro daemon logs$/
    )
    const unswept = await pyro.failure(["gc"])
    assert.strictEqual(unswept.code, "state_directory_unusable", unswept.message)
    assert.include(unswept.message, path.join(pyro.state, "vms"))
    fs.rmSync(path.join(pyro.state, "vms"))
    await pyro.close()
  })
})
