import { spawn as spawnTerminal } from "node-pty"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { connect } from "node:net"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { pyroPath, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"
import { openSsh } from "../support/ssh/open-ssh.ts"

// The sessions of editors, by OpenSSH's clients: the command lines of VS Code's Remote - SSH and of Zed, with servers that only answer.
const pyro = installation("pyro-editors-")
const { create } = pyro
const { config, env, home, run, sftp, ssh, startSsh, write } = openSsh(pyro)
afterAll(pyro.close)

const host = "pyro-edited"
beforeAll(async () => {
  const { id } = await create(["--name", "edited"])
  await write(id)
})

/** A port of this host that is probably free: an editor takes one the same way. */
const somePort = () => 20_000 + Math.floor(Math.random() * 10_000)

/** What a server answers to `bytes`, through a port of this host. `first` is sent, and its answer dropped, before. */
const through = (port: number, bytes: Uint8Array, { expect, first }: { expect: number; first?: Uint8Array }) =>
  new Promise<Buffer>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" })
    const pieces: Array<Buffer> = []
    let isThere = first === undefined
    socket.on("connect", () => socket.write(first ?? bytes))
    socket.on("data", (piece) => {
      if (!isThere) {
        // The end of a SOCKS negotiation: version 5, succeeded.
        if (piece.length === 2) return
        isThere = true
        if (piece[1] !== 0) return socket.destroy(new Error(`SOCKS says ${piece[1]}`))
        return socket.write(bytes)
      }
      pieces.push(piece)
      if (pieces.reduce((sum, { length }) => sum + length, 0) >= expect) socket.end()
    })
    socket.on("error", reject)
    socket.on("close", () => resolve(Buffer.concat(pieces)))
  })

/** SOCKS5 without a password, and a connection to a port of the host `localhost`: both in one piece. */
const socksTo = (port: number) =>
  Buffer.concat([
    Buffer.from([5, 1, 0, 5, 1, 0, 3, 9]),
    Buffer.from("localhost"),
    Buffer.from([port >> 8, port & 0xff])
  ])

/** A server that sends back what it gets, on a port of the loopback and on a Unix socket. */
const SERVER = `#!/usr/bin/env python3
import asyncio, os, sys
async def echo(reader, writer):
  while data := await reader.read(65536):
    writer.write(data)
    await writer.drain()
  writer.close()
async def main():
  tcp = await asyncio.start_server(echo, "127.0.0.1", 0)
  await asyncio.start_unix_server(echo, sys.argv[1])
  print("Extension host agent listening on", tcp.sockets[0].getsockname()[1], flush=True)
  await asyncio.Event().wait()
asyncio.run(main())
`

/** As the script of VS Code does it: unpacks what came by scp, starts the server if none runs, and prints where it listens. */
const INSTALL = `
dir=$HOME/.vscode-server/bin
mkdir -p $dir && tar -xzf $HOME/.vscode-server/server.tar.gz -C $dir
if [[ -f $dir/pid ]] && kill -0 "$(cat $dir/pid)" 2>/dev/null; then echo "already running"; else
  rm -f $dir/sock
  $dir/server $dir/sock &> $dir/log < /dev/null &
  echo $! > $dir/pid
fi
for i in {1..100}; do
  port=$(sed -n 's/.*listening on //p' $dir/log)
  [[ -n $port ]] && break
  sleep 0.2
done
echo "listeningOn==$port=="
`

describe("the sessions of an editor", () => {
  /** `ssh -T -D PORT host bash` with the script on an input that stays open. */
  const vsCode = async (more: ReadonlyArray<string> = []) => {
    const socks = somePort()
    const args = ["-F", config, "-T", "-D", `127.0.0.1:${socks}`, ...more, "-o", "ConnectTimeout=60", host, "bash"]
    const child = spawn("ssh", args, { env, cwd: home, stdio: "pipe", detached: true })
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
    let said = ""
    for (const from of [child.stdout, child.stderr]) from.on("data", (bytes: Buffer) => said += bytes.toString())
    child.stdin.write(INSTALL)
    await until(() => `the server's port in ${said}`, () => /listeningOn==\d*==/.test(said), 120_000)
    const port = Number(/listeningOn==(\d*)==/.exec(said)![1])
    assert.isAbove(port, 0, said)
    return {
      socks,
      port,
      said: () => said,
      end: async () => {
        process.kill(-child.pid!, "SIGKILL")
        await ended
      }
    }
  }

  it("VS Code installs its server, reaches it through SOCKS and a socket, and finds it again after a lost connection", async () => {
    fs.mkdirSync(path.join(home, "server"))
    fs.writeFileSync(path.join(home, "server/server"), SERVER, { mode: 0o755 })
    const packed = spawn("tar", ["-czf", "server.tar.gz", "-C", "server", "."], { cwd: home })
    assert.strictEqual(await new Promise((resolve) => packed.once("close", resolve)), 0)
    await ssh(host, "mkdir -p .vscode-server")
    assert.strictEqual((await run("scp", ["server.tar.gz", `${host}:.vscode-server/server.tar.gz`])).code, 0)
    const local = somePort()
    const first = await vsCode(["-L", `127.0.0.1:${local}:/root/.vscode-server/bin/sock`])
    const message = randomBytes(300_000)
    try {
      const many = Array.from(
        { length: 12 },
        () => through(first.socks, message, { expect: message.length, first: socksTo(first.port) })
      )
      for (const answer of await Promise.all(many)) assert.isTrue(answer.equals(message))
      assert.isTrue((await through(local, message, { expect: message.length })).equals(message))
      assert.notInclude(first.said(), "already running")
    } finally {
      await first.end()
    }
    const second = await vsCode()
    try {
      assert.include(second.said(), "already running")
      assert.strictEqual(second.port, first.port)
      const short = Buffer.from("again")
      const answer = await through(second.socks, short, { expect: 5, first: socksTo(second.port) })
      assert.strictEqual(answer.toString(), "again")
    } finally {
      await second.end()
    }
  })

  it("Zed shares one connection for its probes, its upload and its proxy, whose bytes arrive meanwhile", async () => {
    const socket = path.join(home, "zed.sock")
    const master = spawn(
      "ssh",
      ["-F", config, "-N", "-o", "ControlPersist=no", "-o", "ControlMaster=yes", "-o", `ControlPath=${socket}`, host],
      { env, cwd: home, stdio: ["ignore", "ignore", "pipe"], detached: true }
    )
    const masterEnded = new Promise<number | null>((resolve) => master.once("close", resolve))
    const shared = ["-o", "ControlMaster=no", "-o", `ControlPath=${socket}`]
    try {
      await until("the shared connection", () => fs.existsSync(socket))
      const probe = async (command: string) => {
        const { code, stderr, stdout } = await run("ssh", [...shared, "-T", host, command])
        assert.strictEqual(code, 0, stderr)
        return stdout.toString().trim()
      }
      const probes = await Promise.all(
        Array.from(
          { length: 8 },
          (_, index) => probe(index === 0 ? "cd; sh -c 'echo $SHELL'" : "cd; sh -c 'uname -sm'")
        )
      )
      assert.deepStrictEqual(new Set(probes.slice(1)), new Set(["Linux x86_64"]))
      await probe("mkdir -p .zed_server")
      // A program that ends in 50 MB of no use, so that it does not become smaller.
      const program = Buffer.concat([Buffer.from("#!/bin/sh\nexec cat\n"), randomBytes(50_000_000)])
      fs.writeFileSync(path.join(home, "remote.gz"), gzipSync(program, { level: 1 }))
      const proxyOf = (command: string) => {
        const child = spawn("ssh", ["-F", config, ...shared, "-T", host, command], { env, cwd: home, stdio: "pipe" })
        const pieces: Array<Buffer> = []
        child.stdout.on("data", (piece: Buffer) => pieces.push(piece))
        const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
        return { child, ended, got: () => Buffer.concat(pieces) }
      }
      const meanwhile = proxyOf("cat")
      const upload = run("sftp", [...shared, "-b", "-", host], "put remote.gz .zed_server/remote.gz\n")
      let isUploaded = false
      void upload.then(() => (isUploaded = true))
      let echoed = 0
      do {
        meanwhile.child.stdin.write("tick")
        echoed += 4
        await until("an answer beside the upload", () => meanwhile.got().length === echoed)
      } while (!isUploaded)
      assert.strictEqual((await upload).code, 0)
      meanwhile.child.stdin.end()
      assert.strictEqual(await meanwhile.ended, 0)
      assert.isAbove(echoed, 4)
      await probe(
        "cd; sh -c 'gunzip -f .zed_server/remote.gz && chmod 755 .zed_server/remote && mv .zed_server/remote .zed_server/zed'"
      )
      assert.strictEqual(await probe("stat -c %s .zed_server/zed"), String(program.length))
      const proxy = proxyOf("cd; env RUST_LOG=info .zed_server/zed proxy --identifier one")
      const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(4_000_000)])
      proxy.child.stdin.write(bytes)
      await until("all bytes of the proxy", () => proxy.got().length === bytes.length, 120_000)
      assert.isTrue(proxy.got().equals(bytes))
      process.kill(-master.pid!, "SIGKILL")
      await masterEnded
      assert.strictEqual(await proxy.ended, 255)
      await settlesAs(
        async () => (await ssh(host, "pgrep -x cat | wc -l")),
        "0",
        "the proxy goes on without its client"
      )
    } finally {
      if (master.exitCode === null && master.signalCode === null) process.kill(-master.pid!, "SIGKILL")
    }
  })

  it("a lost connection ends what waits for its client, and no server that an editor started beside it", async () => {
    await sftp(host, "pwd")
    const open = await startSsh([host, "bash -c 'sleep 3001 >/dev/null 2>&1 & echo ready; cat; exit 0'"], "ready")
    open.end()
    await settlesAs(
      async () => (await ssh(host, "pgrep -x cat | wc -l")),
      "0",
      "the program goes on without its client"
    )
    assert.strictEqual(await ssh(host, "pgrep -fx 'sleep 3001' | wc -l"), "1")
  })
})

describe("the question before a change of ~/.ssh", () => {
  /** pyro on a terminal of its own, with a new home directory. `programs` are in its PATH, and write their arguments to a file. */
  const onTerminal = async (args: ReadonlyArray<string>, programs: ReadonlyArray<string> = []) => {
    const own = fs.mkdtempSync(path.join(home, "own-"))
    const bin = path.join(own, "bin")
    fs.mkdirSync(bin)
    for (const name of programs) {
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\nprintf '%s\\n' "\${0##*/}" "$@" > ${own}/opened\n`, {
        mode: 0o755
      })
    }
    const terminal = spawnTerminal(process.execPath, [pyroPath, ...args], {
      cols: 300,
      rows: 30,
      env: { ...process.env, ...pyro.env, HOME: own, PATH: `${bin}:/usr/bin:/bin` } as Record<string, string>
    })
    let screen = ""
    terminal.onData((text) => screen += text)
    const ended = new Promise<number>((resolve) =>
      terminal.onExit(({ exitCode, signal = 0 }) => resolve(signal === 0 ? exitCode : 128 + signal))
    )
    await until(() => `the question in ${screen}`, () => screen.includes("? [y/N] "))
    assert.include(screen, `Write ${own}/.ssh/pyro/${host}.conf and ${own}/.ssh/config? [y/N] `)
    return {
      terminal,
      ended,
      screen: () => screen,
      isWritten: () => fs.existsSync(`${own}/.ssh`),
      opened: () => fs.existsSync(`${own}/opened`) ? fs.readFileSync(`${own}/opened`, "utf8").trim().split("\n") : []
    }
  }

  it.each([
    ["y\r", 0],
    ["n\r", 1],
    ["\r", 1],
    ["\u0003", 130]
  ])("ssh-config --write writes after yes alone: %j ends it with %i", async (keys, status) => {
    const { ended, isWritten, screen, terminal } = await onTerminal(["ssh-config", "edited", "--write"])
    terminal.write(keys)
    assert.strictEqual(await ended, status, screen())
    assert.strictEqual(isWritten(), status === 0)
  })

  it("a terminal that closes at the question of ssh-config --write leaves ~/.ssh as it is", async () => {
    const { ended, isWritten, terminal } = await onTerminal(["ssh-config", "edited", "--write"])
    ;(terminal as unknown as { readonly destroy: () => void }).destroy()
    assert.oneOf(await ended, [1, 129])
    assert.isFalse(isWritten())
  })

  it("pyro code opens the first editor of this host after yes, and none after no", async () => {
    const no = await onTerminal(["code", "edited"], ["code"])
    no.terminal.write("n\r")
    assert.strictEqual(await no.ended, 1)
    assert.deepStrictEqual([no.isWritten(), no.opened()], [false, []])
    const yes = await onTerminal(["code", "edited"], ["cursor", "zed"])
    yes.terminal.write("y\r")
    assert.strictEqual(await yes.ended, 0, yes.screen())
    assert.deepStrictEqual(yes.opened(), ["cursor", "--remote", `ssh-remote+${host}`, "/workspace"])
    const zed = await onTerminal(["code", "edited", "/srv/a b", "--editor", "zed"], ["code", "zed"])
    zed.terminal.write("y\r")
    assert.strictEqual(await zed.ended, 0, zed.screen())
    assert.deepStrictEqual(zed.opened(), ["zed", `ssh://${host}/srv/a%20b`])
  })
})
