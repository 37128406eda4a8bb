import { createHash, type Hash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { regularFilesBeneath } from "../support/files/files-beneath.ts"
import { rssOf, watchRss } from "../support/host/process-facts.ts"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"

const pyro = installation("pyro-flow-")
const { create, daemon, daemonPid, env, json, logs, sh } = pyro
beforeAll(async () => {
  await create(["--name", "w"])
  await sh("w", "(head -c 1048565 /dev/zero | tr '\\0' x; echo) > /root/block")
})
afterAll(pyro.close)

const MIB = 1024 * 1024

/** Prints so many lines of 1 MiB, each with its number; nothing of it is the same. */
const lines = (count: number) => `i=0; while [ $i -lt ${count} ]; do printf %010d $i; cat /root/block; i=$((i+1)); done`
const hashOfLines = (count: number) => {
  const hash = createHash("sha256")
  const rest = "x".repeat(1_048_565) + "\n"
  for (let number = 0; number < count; number++) hash.update(String(number).padStart(10, "0") + rest)
  return hash.digest("hex")
}

/** A command whose output is hashed as it comes instead of being kept. */
const hashing = (args: ReadonlyArray<string>, input?: Uint8Array) => {
  const hash: Hash = createHash("sha256")
  let bytes = 0
  const { child, finished } = startPyro([
    "workspace",
    "exec",
    "w",
    ...(input === undefined ? [] : ["--interactive"]),
    ...args
  ], {
    env,
    ...(input === undefined ? {} : { input }),
    onStart: ({ stdout }) => {
      stdout!.removeAllListeners("data")
    }
  })
  child.stdout!.removeAllListeners("data").on("data", (chunk: Buffer) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  const whole = finished.then(({ code, stderr }) => ({ code, stderr, bytes, sha256: hash.digest("hex") }))
  return { child, bytesSoFar: () => bytes, finished: whole }
}

const killDaemon = async () => {
  const pid = await daemonPid()
  process.kill(pid, "SIGKILL")
  await until("the daemon's end", async () => (await daemon()).pid !== pid)
}

const lastId = async () => {
  const { commands } = await json<{ readonly commands: ReadonlyArray<{ readonly exec_id: string }> }>(
    ["workspace", "logs", "w"]
  )
  return commands.at(-1)!.exec_id
}

describe("a command whose daemon dies", () => {
  it("a client loses no output of 60 MiB when the daemon is killed twice, and the command runs once", async () => {
    const command = hashing(["--", "sh", "-c", `echo x >> /root/ran; ${lines(60)}; exit 9`])
    for (const part of [12, 36]) {
      await until(`${part} MiB`, () => command.bytesSoFar() > part * MIB)
      await killDaemon()
    }
    const expected = hashOfLines(60)
    const ended = await command.finished
    assert.deepInclude(ended, { code: 9, bytes: 60 * MIB, sha256: expected, stderr: "" }, ended.stderr)
    assert.strictEqual(await sh("w", "cat /root/ran"), "x")
  })

  it("a command whose client left has a complete log, by cursor and id", async () => {
    // More than two files of the log.
    const before = (await logs("w")).length
    await json(["workspace", "exec", "w", "--detach", "--", "sh", "-c", `echo x >> /root/ran2; ${lines(40)}`])
    const id = await lastId()
    await until("some of it", async () => (await progressOf(id)) > 10 * MIB)
    await killDaemon()
    const again = await hashing(["--exec-id", id]).finished
    const expected = hashOfLines(40)
    assert.deepInclude(again, { code: 0, bytes: 40 * MIB, sha256: expected })
    const hash = createHash("sha256")
    for (let cursor: number | undefined = 0; cursor !== undefined;) {
      const page: { readonly output: string; readonly next_cursor?: number } = await json(
        ["workspace", "logs", "w", "--exec-id", id, "--cursor", String(cursor), "--max-bytes", "4194304"]
      )
      hash.update(page.output)
      cursor = page.next_cursor
    }
    assert.strictEqual(hash.digest("hex"), expected)
    assert.strictEqual(await sh("w", "cat /root/ran2"), "x")
    assert.strictEqual((await logs("w")).length, before + 2)
  })

  it("a command gets its whole input although the daemon is killed", async () => {
    const input = randomBytes(24 * MIB)
    const command = hashing(["--", "sh", "-c", "head -c 4194304; sleep 1.5; cat"], input)
    await until("the first of it", () => command.bytesSoFar() === 4 * MIB)
    await killDaemon()
    const expected = createHash("sha256").update(input).digest("hex")
    assert.deepInclude(await command.finished, { code: 0, bytes: 24 * MIB, sha256: expected, stderr: "" })
  })

  it("Ctrl-C ends a command after its daemon was killed", async () => {
    const { child, finished } = startPyro(["workspace", "exec", "w", "--", "sh", "-c", "sleep 8881 & sleep 8882"], {
      env
    })
    await until("its start", async () => (await sh("w", "pgrep -fc '[s]leep 888' || true")) === "3")
    await killDaemon()
    await until("the next daemon", async () => (await daemon()).running)
    await sh("w", "true")
    child.kill("SIGINT")
    assert.strictEqual((await finished).signal, "SIGINT")
    await until("the end of all of it", async () => (await sh("w", "pgrep -fc '[s]leep 888' || true")) === "0")
  })

  it("a command goes on when the daemon is stopped", async () => {
    const { finished, stdoutSoFar } = startPyro(
      ["workspace", "exec", "w", "--", "sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done"],
      { env }
    )
    await until("its start", () => stdoutSoFar().length > 0)
    await json(["daemon", "stop"])
    const { code, stderr, stdout } = await finished
    assert.deepStrictEqual([code, stdout.toString(), stderr], [0, "1\n2\n3\n4\n5\n6\n", ""])
  })
})

const progressOf = async (id: string) =>
  (await json<{ readonly commands: ReadonlyArray<{ readonly output_bytes: number }> }>(
    ["workspace", "logs", "w", "--exec-id", id, "--max-bytes", "1"]
  )).commands[0]!.output_bytes

describe("a client that goes away", () => {
  it("Ctrl-C ends a command before its client exits, and no command is listed as running", async () => {
    for (const words of ["sleep 7771", "sh -c 'echo first; sleep 7772'", "sh -c 'trap : TERM; sleep 7773 & wait'"]) {
      const { child, finished } = startPyro(["workspace", "exec", "w", "--", "sh", "-c", words], { env })
      await until("its start", async () => (await sh("w", "pgrep -fc '[s]leep 777' || true")) !== "0")
      child.kill("SIGINT")
      assert.strictEqual((await finished).signal, "SIGINT")
      assert.notInclude((await logs("w")).map(({ outcome }) => outcome), "running")
      assert.strictEqual(await sh("w", "pgrep -fc '[s]leep 777' || true"), "0")
    }
  })

  it("killing a client ends its command and the command's children", async () => {
    const { child, finished } = startPyro(["workspace", "exec", "w", "--", "sh", "-c", "sleep 9991 & sleep 9992"], {
      env
    })
    await until("its start", async () => (await sh("w", "pgrep -fc '[s]leep 999' || true")) === "3")
    child.kill("SIGKILL")
    await finished
    await until("the end of all of it", async () => (await sh("w", "pgrep -fc '[s]leep 999' || true")) === "0")
  })

  it("a client that never reads does not grow the daemon or delay other commands", async () => {
    await sh("w", "true")
    const pid = await daemonPid()
    const before = rssOf(pid)
    const watched = watchRss(pid)
    const { child, finished } = startPyro(["workspace", "exec", "w", "--", "sh", "-c", lines(100)], {
      env,
      onStart: ({ stdout }) => stdout!.pause()
    })
    child.stdout!.pause()
    const id = await idOf("-lt 100 ]")
    await until("all of it in the log", async () => (await progressOf(id)) === 100 * MIB)
    assert.strictEqual(await sh("w", "echo answers"), "answers")
    const grown = watched.stop() - before
    child.kill("SIGKILL")
    await finished
    assert.isBelow(grown, 32 * MIB)
  })
})

const idOf = async (part: string) => {
  let id: string | undefined
  await until("its line in the journal", async () => {
    const { commands } = await json<{
      readonly commands: ReadonlyArray<{ readonly exec_id: string; readonly command: ReadonlyArray<string> }>
    }>(["workspace", "logs", "w"])
    id = commands.findLast(({ command }) => command.join(" ").includes(part))?.exec_id
    return id !== undefined
  })
  return id!
}

describe("128 MiB of output", () => {
  it("128 MiB of output arrives whole, is logged, and does not grow the daemon", async () => {
    await sh("w", "true")
    const pid = await daemonPid()
    const before = rssOf(pid)
    const watched = watchRss(pid)
    const result = await hashing(["--", "sh", "-c", lines(128)]).finished
    const grown = watched.stop() - before
    assert.deepInclude(result, { code: 0, bytes: 128 * MIB, sha256: hashOfLines(128) })
    assert.isBelow(grown, 64 * MIB)
    const folder = path.join(pyro.state, "workspaces")
    const held = regularFilesBeneath(folder)
      .filter((file) => /^[0-9a-f]{32}\.\d+$/.test(path.basename(file)))
      .reduce((sum, file) => sum + fs.statSync(file).size, 0)
    assert.isAbove(held, 128 * MIB)
  })
})
