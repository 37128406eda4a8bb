import { spawn } from "node-pty"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { openSsh } from "../support/ssh/open-ssh.ts"

const pyro = installation("pyro-ssh-bounds-")
const { create, daemonPid, folder, sh } = pyro
const { config, env: clientEnv, home, run, sftp, ssh, write } = openSsh(pyro)
afterAll(pyro.close)

const HOST = "pyro-w"
const VALUE = "real-token-of-a-host"
beforeAll(async () => {
  const given = ["--secret-env", "TOKEN", "--secret-http", "TOKEN@server.test.net", "--allow-host", "server.test.net"]
  await create(["--name", "w", ...given], { env: { TOKEN: VALUE } })
  await write("w")
})

// A storm of requests that no client of OpenSSH sends: test/unit/lib/ssh/server/serve.test.ts.
describe("a secret of a host over ssh", () => {
  it("a command, a shell, a terminal and sftp have the placeholder", async () => {
    const placeholder = await sh("w", "printf %s \"$TOKEN\"")
    assert.match(placeholder, /^pyro_secret_TOKEN_[0-9a-f]{32}$/)
    assert.strictEqual(await ssh(HOST, "echo $TOKEN"), placeholder)
    const shell = await run("ssh", ["-T", HOST], "echo $TOKEN\n")
    assert.include(shell.stdout.toString(), placeholder)
    const terminal = await run("ssh", ["-tt", HOST, "echo $TOKEN"])
    assert.include(terminal.stdout.toString(), placeholder)
    const file = path.join(folder, "environ")
    await sftp(HOST, `get /proc/self/environ ${file}`)
    const environment = fs.readFileSync(file, "latin1").split("\0")
    assert.include(environment, `TOKEN=${placeholder}`)
    for (const { stderr, stdout } of [shell, terminal]) assert.notInclude(stdout.toString() + stderr, VALUE)
    assert.notInclude(environment.join("\n"), VALUE)
  })

  it("the value is in no file and no process of the guest while ssh runs", async () => {
    const look =
      "grep -laF \"$(printf real-token-; printf of-a-host)\" /proc/[0-9]*/environ /root/.* /etc/* /run/* 2> /dev/null | grep -v /proc/$$/"
    assert.strictEqual(await ssh(HOST, `${look} || true`), "")
  })
})

const memoryMib = (pid: number) =>
  Number(/^VmHWM:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "latin1"))![1]) / 1024

describe("a terminal over ssh", () => {
  it("a title of megabytes passes whole, and costs the daemon a bounded memory", async () => {
    const script =
      "head -c 8000000 /dev/zero | tr '\\0' a > /tmp/a; printf '\\033]0;'; cat /tmp/a; printf '\\007done\\n'"
    assert.match(await ssh(HOST, "true"), /^$/)
    const before = memoryMib(await daemonPid())
    const { code, stdout } = await run("ssh", ["-tt", HOST, script])
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.length, "\x1b]0;".length + 8_000_000 + "\x07done\r\n".length)
    assert.isBelow(memoryMib(await daemonPid()) - before, 200)
  })

  it("a storm of window changes ends with the last size, and the workspace answers meanwhile", async () => {
    const terminal = spawn("ssh", ["-F", config, HOST], { cols: 100, rows: 30, env: clientEnv, cwd: home })
    let screen = ""
    terminal.onData((text) => screen += text)
    const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
    terminal.write("echo is $((6 * 7))\r")
    await until("a shell", () => Promise.resolve(screen.includes("is 42")))
    for (let at = 0; at < 5_000; at++) terminal.resize(20 + at % 200, 10 + at % 90)
    assert.strictEqual(await sh("w", "echo answers"), "answers")
    terminal.resize(77, 22)
    terminal.write("until stty size | grep '22 7[7]'; do sleep 0.1; done; exit 3\r")
    assert.strictEqual(await ended, 3)
  })
})
