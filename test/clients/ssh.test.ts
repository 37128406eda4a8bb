import { execFile, spawn } from "node:child_process"
import * as fs from "node:fs"
import { createServer, type Server } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { pyroPath } from "../support/pyro-cli.ts"
import { openSsh } from "../support/ssh/open-ssh.ts"

// Other clients than OpenSSH's. The host needs python3 with pip, go, java and mvn, and the public registries.

const PYTHON = ["asyncssh==2.24.1", "paramiko==5.1.0"]
const GO = ["golang.org/x/crypto@v0.59.0", "github.com/pkg/sftp@v1.13.12"]
const SSHJ = "0.40.0"

const pyro = installation("pyro-ssh-clients-")
const { config, env, home, write } = openSsh(pyro)
const programs = path.join(import.meta.dirname, "ssh")
const host = "pyro-clients"
let bridge: Server
let id = ""
let echo = ""
let hostKey = ""
let keyFile = ""

/** What a program of this host printed; it has to succeed. */
const run = (program: string, args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}, cwd = home) =>
  new Promise<string>((resolve, reject) => {
    execFile(program, [...args], { cwd, env: { ...env, ...more }, timeout: 600_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}${error.message}`))
    })
  })

const ECHO = `import asyncio
async def echo(reader, writer):
  while data := await reader.read(65536):
    writer.write(data)
    await writer.drain()
  writer.close()
async def main():
  tcp = await asyncio.start_server(echo, "127.0.0.1", 0)
  await asyncio.start_unix_server(echo, "/tmp/echo.sock")
  with open("/tmp/echo.port", "w") as file: file.write(str(tcp.sockets[0].getsockname()[1]))
  await asyncio.Event().wait()
asyncio.run(main())`

beforeAll(async () => {
  id = (await pyro.create(["--name", "clients"])).id
  await write(id)
  const shown = await pyro.json<{ readonly host_key: string; readonly identity_file: string }>(["ssh-config", id])
  ;[hostKey, keyFile] = [shown.host_key, shown.identity_file]
  await pyro.json(["exec", id, "--detach", "--", "python3", "-c", ECHO])
  echo = await pyro.sh(id, "while ! [ -s /tmp/echo.port ]; do sleep 0.1; done; cat /tmp/echo.port")
  // For clients without a ProxyCommand: a port of this host, as their editors make one.
  bridge = createServer((socket) => {
    const proxy = spawn(process.execPath, [pyroPath, "ssh-proxy", id], { env, stdio: ["pipe", "pipe", "inherit"] })
    socket.pipe(proxy.stdin).on("error", () => {})
    proxy.stdout.pipe(socket).on("error", () => {}).on("close", () => proxy.kill())
  })
  await new Promise<void>((resolve) => bridge.listen(0, "127.0.0.1", resolve))
})
afterAll(async () => {
  bridge.close()
  await pyro.close()
})

const ALL = "exec\nsftp\nforward\nterminal\n"
const bridgePort = () => String((bridge.address() as { readonly port: number }).port)

describe("commands, sftp, forwarded connections and a terminal by other SSH clients", () => {
  it("asyncssh and paramiko do so, by the entry of ssh-config", async () => {
    const packages = path.join(home, "python")
    await run("python3", ["-m", "pip", "install", "--quiet", "--target", packages, ...PYTHON])
    const python = { PYTHONPATH: packages }
    assert.strictEqual(
      await run("python3", [path.join(programs, "client_asyncssh.py"), config, host, echo], python),
      ALL
    )
    const entry = path.join(home, `.ssh/pyro/${host}.conf`)
    assert.strictEqual(
      await run("python3", [path.join(programs, "client_paramiko.py"), entry, host, echo], python),
      ALL
    )
  })

  it("Go's x/crypto/ssh and pkg/sftp do so", async () => {
    const folder = path.join(home, "go")
    fs.mkdirSync(folder)
    fs.copyFileSync(path.join(programs, "client.go"), path.join(folder, "client.go"))
    await run("go", ["mod", "init", "client"], {}, folder)
    await run("go", ["get", ...GO], {}, folder)
    await run("go", ["build", "-o", "client", "."], {}, folder)
    const args = [`127.0.0.1:${bridgePort()}`, "root", keyFile, hostKey, echo]
    assert.strictEqual(await run(path.join(folder, "client"), args), ALL)
  })

  it("sshj does so", async () => {
    const folder = path.join(home, "java")
    fs.mkdirSync(folder)
    const dependency =
      `<dependency><groupId>com.hierynomus</groupId><artifactId>sshj</artifactId><version>${SSHJ}</version></dependency>`
    fs.writeFileSync(
      path.join(folder, "pom.xml"),
      "<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>client</artifactId><version>1</version>" +
        `<dependencies>${dependency}</dependencies></project>`
    )
    await run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"], {}, folder)
    const args = [bridgePort(), "root", keyFile, hostKey, echo]
    assert.strictEqual(
      await run("java", ["-cp", "jars/*", path.join(programs, "Client.java"), ...args], {}, folder),
      ALL
    )
  })
})
