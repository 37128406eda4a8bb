import { spawn } from "node-pty"
import { execFile, execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { request } from "node:http"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"
import { openSsh, portable } from "../support/ssh/open-ssh.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

// OpenSSH's clients as a person has them, with the entry that pyro writes.
const pyro = installation("pyro-ssh-")
const { call, create, daemonPid, json, sh, state, step } = pyro
const { fork } = snapshots(pyro)
const { config, env, home, run, sftp, ssh, startSsh, write } = openSsh(pyro)
afterAll(pyro.close)

const host = "pyro-Odd.name_1"
let id = ""
beforeAll(async () => {
  id = (await create(["--name", "Odd.name_1", "--env", "COLOUR=blue"])).id
  await write(id)
})

const connections = async () => (await json<{ readonly ssh_connections?: number }>(["status", id])).ssh_connections
const keys = (workspace: string) => path.join(state, "workspaces", workspace, "ssh")

/** Gets a page through a port of this host. Undefined if the connection fails. */
const page = (port: number) =>
  new Promise<string | undefined>((resolve) => {
    const asked = request({ port, host: "127.0.0.1", agent: false }, (answer) => {
      let text = ""
      answer.on("data", (bytes: Buffer) => text += bytes.toString())
      answer.on("end", () => resolve(text))
    })
    asked.on("error", () => resolve(undefined))
    asked.end()
  })

/** Exit status of rsync, or what it says of a failure. */
const rsync = (args: ReadonlyArray<string>) =>
  new Promise<string>((resolve) => {
    execFile("rsync", [...args], { cwd: home, env }, (error, _, stderr) => resolve(error === null ? "0" : stderr))
  })

describe("ssh to a workspace", () => {
  it("a command has the input, the outputs, the status and the environment of pyro exec", async () => {
    const { code, stderr, stdout } = await run("ssh", [host, "cat; echo error >&2; exit 7"], "input")
    assert.deepStrictEqual([code, stdout.toString(), stderr], [7, "input", "error\n"])
    const variables = "env | grep -vE '^(_|PWD|OLDPWD|SHLVL)=' | sort"
    assert.strictEqual(await ssh(host, variables), await sh(id, variables))
    assert.strictEqual(await ssh(host, "echo $COLOUR $PWD"), "blue /root")
  })

  it("git of the host fetches the commits of a workspace", async () => {
    await sh(
      id,
      "git init -q -b try repo && cd repo && echo fixed > file && git add file && " +
        "git -c user.name=T -c user.email=t@example.test commit -qm 'Fix the parser'"
    )
    const clone = path.join(home, "clone")
    const git = (...args: ReadonlyArray<string>) =>
      execFileSync("git", ["-C", clone, ...args], {
        encoding: "utf8",
        env: { ...env, GIT_SSH_COMMAND: `ssh -F '${config}'`, GIT_CONFIG_GLOBAL: "/dev/null" }
      })
    execFileSync("git", ["init", "-q", clone])
    git("fetch", "-q", `${host}:/workspace/repo`, "try")
    assert.strictEqual(git("log", "--format=%an: %s", "FETCH_HEAD"), "T: Fix the parser\n")
    assert.strictEqual(git("show", "FETCH_HEAD:file"), "fixed\n")
    await sh(id, "rm -rf repo")
  })

  // Linux takes no longer argument than OpenSSH's clients, of 128 KiB, so the test asks ssh for two of them.
  it("a command of 34 kB, 100 kB and 250 kB runs, also as another user, and leaves nothing behind", async () => {
    for (const [words, user] of [[34_000, ""], [100_000, "agent@"], [250_000, ""]] as const) {
      const half = "x".repeat(words / 2)
      const { code, stderr, stdout } = await run(
        "ssh",
        [`${user}${host}`, `: ${half}`, `${half}; cat; exit 7`],
        "input"
      )
      assert.deepStrictEqual([code, stdout.toString(), stderr], [7, "input", ""], `${words} bytes`)
    }
    assert.strictEqual(await ssh(host, "ls -A /tmp | grep -c pyro; true"), "0")
  })

  it("bytes that are no SSH end the connection with a reason on stderr, and count as no connection", async () => {
    const before = await connections()
    const proxy = (input: string) => call(["ssh-proxy", id], { input })
    const { code, stderr } = await proxy("GET / HTTP/1.1\r\n\r\n")
    assert.deepStrictEqual(
      [code, stderr],
      [1, "pyro: the SSH connection has ended: the first bytes are not those of an SSH client\n"]
    )
    assert.strictEqual((await proxy("SSH-2.0-gone\r\n")).code, 0)
    await until("no connection is left", async () => (await connections()) === before)
  })

  it("a user of the guest is the one whom the client names", async () => {
    assert.strictEqual(await ssh(`agent@${host}`, "id -un; echo $HOME; pwd"), "agent\n/home/agent\n/home/agent")
    const { code, stderr } = await run("ssh", [`nobody-there@${host}`, "true"])
    assert.deepStrictEqual([code, /nobody-there/.test(stderr)], [126, true])
  })

  it("64 MiB pass in both directions, byte for byte", async () => {
    const content = randomBytes(1024 * 1024)
    const all = Buffer.concat(Array.from({ length: 64 }, () => content))
    const { code, stdout } = await run("ssh", [host, "cat"], all)
    assert.strictEqual(code, 0)
    assert.isTrue(stdout.equals(all))
  })

  it("sftp, scp and rsync copy trees to the guest and back", async () => {
    const tree = path.join(home, "tree")
    fs.mkdirSync(`${tree}/inner dir`, { recursive: true })
    const content = randomBytes(3_000_000)
    fs.writeFileSync(`${tree}/inner dir/large`, content, { mode: 0o640 })
    fs.symlinkSync("inner dir/large", `${tree}/link`)
    await sftp(host, "put -rp tree /workspace/by-sftp", "get -rp /workspace/by-sftp sftp-back")
    assert.isTrue(fs.readFileSync(`${home}/sftp-back/inner dir/large`).equals(content))
    assert.strictEqual(await ssh(host, "stat -c %a '/workspace/by-sftp/inner dir/large'"), "640")
    assert.strictEqual((await run("scp", ["-rp", "tree", `${host}:/workspace/by-scp`])).code, 0)
    assert.strictEqual((await run("scp", ["-rp", `${host}:/workspace/by-scp`, "scp-back"])).code, 0)
    assert.isTrue(fs.readFileSync(`${home}/scp-back/link`).equals(content))
    // The guest has no rsync, and no network to install it.
    const remote = portable("rsync", path.join(home, "rsync"), "/opt/rsync")
    await sftp(host, "put -rp rsync /opt/rsync")
    const options = ["-a", "-e", `ssh -F ${config}`, `--rsync-path=${remote}`]
    const copy = (from: string, to: string) => rsync([...options, from, to])
    assert.strictEqual(await copy("tree/", `${host}:/workspace/by-rsync`), "0")
    assert.strictEqual(await ssh(host, "readlink /workspace/by-rsync/link"), "inner dir/large")
    await ssh(host, "echo more >> '/workspace/by-rsync/inner dir/large'")
    assert.strictEqual(await copy(`${host}:/workspace/by-rsync/`, "rsync-back"), "0")
    assert.isTrue(
      fs.readFileSync(`${home}/rsync-back/inner dir/large`).equals(Buffer.concat([content, Buffer.from("more\n")]))
    )
  })

  it("ports of the guest are forwarded, and what the guest does not reach is not", async () => {
    const serve = "mkdir -p /srv && echo from the guest > /srv/index.html && cd /srv && " +
      "(setsid python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 &)"
    await ssh(host, serve)
    const forwarding = ["18431:localhost:8000", "18432:192.0.2.1:80"].flatMap((one) => ["-L", one])
    const { end, ended } = await startSsh([...forwarding, host, "echo ready; sleep 1000"], "ready")
    try {
      await settlesAs(() => page(18_431), "from the guest\n", "the page did not come")
      assert.isUndefined(await page(18_432))
      const { stderr } = await run("ssh", ["-o", "ExitOnForwardFailure=yes", "-R", "9000:localhost:1", host, "true"])
      assert.include(stderr, "remote port forwarding failed")
      assert.strictEqual(await ssh(host, "echo \"agent: $SSH_AUTH_SOCK\""), "agent:")
    } finally {
      end()
      await ended
    }
  })

  it("a terminal has the size of the person's window, also after a change", async () => {
    const terminal = spawn("ssh", ["-F", config, host], { cols: 100, rows: 30, env, cwd: home })
    let screen = ""
    terminal.onData((text) => screen += text)
    const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
    const shows = (text: string | RegExp) => until(() => `${String(text)} in ${screen}`, () => screen.search(text) >= 0)
    terminal.write("stty size; pwd; echo $TERM-$COLOUR\r")
    await shows(/30 100\r\n\/workspace\r\nxterm.*-blue/)
    terminal.resize(120, 40)
    terminal.write("sleep 0.2; stty size\r")
    await shows("40 120")
    terminal.write("echo is $((6 * 7)); cat\r")
    await shows("is 42\r\n")
    terminal.write("meow\r")
    await shows("meow\r\nmeow")
    terminal.write("\u0003")
    await shows("\\^C")
    terminal.write("echo interrupted $?\r")
    await shows("interrupted 130")
    terminal.write("exit 4\r")
    assert.strictEqual(await ended, 4)
  })

  it("another key is refused, and another server is not trusted", async () => {
    const other = await create(["--name", "other"])
    await write("other")
    const identity = ["-o", `IdentityFile=${keys(other.id)}/client`, "-o", `User=root`]
    const proxy = `ProxyCommand=${process.execPath} ${path.resolve("dist/pyro.js")} ssh-proxy ${id}`
    const known = ["-o", `UserKnownHostsFile=${keys(id)}/known_hosts`, "-o", `HostKeyAlias=${id}`]
    const refused = await run("ssh", [
      "-F",
      "none",
      "-o",
      proxy,
      ...known,
      ...identity,
      "-o",
      "BatchMode=yes",
      "x",
      "true"
    ])
    assert.deepStrictEqual([refused.code, /Permission denied \(publickey\)/.test(refused.stderr)], [255, true])
    const wrong = await run("ssh", ["-o", proxy, "pyro-other", "true"])
    assert.deepStrictEqual([wrong.code, /Host key verification failed/.test(wrong.stderr)], [255, true])
    await json(["delete", "other"])
    assert.isFalse(fs.existsSync(keys(other.id)))
  })

  it("a fork has keys of its own, and the source keeps its own", async () => {
    await ssh(host, "echo before > /workspace/file")
    const open = await startSsh([host, "echo ready; exec sleep 1000"], "ready")
    await fork(id, "--name", "copy")
    await write("copy")
    assert.strictEqual(await ssh("pyro-copy", "cat /workspace/file"), "before")
    const left = (name: string) => ssh(name, "pgrep -x sleep | wc -l")
    await settlesAs(() => left("pyro-copy"), "0", "the copy has programs of the connection")
    assert.strictEqual(await left(host), "1")
    const { id: copy } = await json<{ readonly id: string }>(["status", "copy"])
    for (const name of ["client", "host"]) {
      assert.notStrictEqual(
        fs.readFileSync(`${keys(copy)}/${name}`, "utf8"),
        fs.readFileSync(`${keys(id)}/${name}`, "utf8")
      )
      assert.strictEqual(fs.statSync(`${keys(copy)}/${name}`).mode & 0o777, 0o600)
    }
    open.end()
    await json(["delete", "copy"])
  })

  it("status and events show a connection, and its end hangs up its programs", async () => {
    await settlesAs(connections, undefined, "a connection of before stays")
    const open = await startSsh([host, "echo ready; (setsid sleep 2000 >/dev/null 2>&1 &); exec sleep 1000"], "ready")
    assert.strictEqual(await connections(), 1)
    open.end()
    await settlesAs(connections, undefined, "the connection stays")
    const left = async () => (await ssh(host, "pgrep -fa 'sleep [12]000'")).replace(/^\d+ /, "")
    await settlesAs(left, "sleep 2000", "the programs are wrong")
    // The end of the daemon ends the visit.
    await json(["daemon", "stop"])
    const { entries } = await json<
      { readonly entries: ReadonlyArray<{ readonly kind: string; readonly text: string }> }
    >(["timeline", id, "--only", "events"])
    const seen = entries.filter(({ kind, text }) => kind.startsWith("ssh_") && text.includes("root")).slice(-2)
    assert.deepStrictEqual(seen.map(({ kind }) => kind), ["ssh_opened", "ssh_closed"])
    assert.match(
      seen[1]!.text,
      /^the SSH clients of root left, after ([2-9]|\d{2,}) connections, \d+ programs and \d+ bytes to them$/
    )
  })

  it("a lent agent is there for commands while its command runs, lists the keys and signs no text", async () => {
    const agent = path.join(home, "agent")
    const daemon = execFile("ssh-agent", ["-D", "-a", agent])
    try {
      await until("ssh-agent", () => fs.existsSync(agent))
      const inAgent = { ...env, SSH_AUTH_SOCK: agent, HOME: home }
      execFileSync("ssh-add", ["-q", `${keys(id)}/client`], { env: inAgent, stdio: "ignore" })
      const key = fs.readFileSync(`${keys(id)}/known_hosts`, "utf8").split(" ").slice(1).join(" ")
      fs.writeFileSync(path.join(home, ".ssh/known_hosts"), `git.example ${key}`)
      const lend = (name: string) =>
        startPyro(["ssh-agent", id, "--host", name], { env: { ...pyro.env, SSH_AUTH_SOCK: agent, HOME: home } })
      const unknown = await lend("nobody.example").finished
      assert.deepStrictEqual([unknown.code, unknown.stderr.includes("ssh nobody.example")], [2, true])
      const loan = lend("git.example")
      await until(loan.stderrSoFar, () => loan.stderrSoFar().includes("lends your SSH agent"))
      const { ssh_agent: shown } = await json<{ readonly ssh_agent?: object }>(["status", id])
      assert.deepStrictEqual(shown, { hosts: ["git.example"], ask: false })
      // The first byte of the answers to: list the keys, remove them all.
      const asking = "import os,socket\ns=socket.socket(socket.AF_UNIX); s.connect(os.environ['SSH_AUTH_SOCK'])\n" +
        "def ask(t):\n s.sendall(b'\\0\\0\\0\\1'+bytes([t])); n=int.from_bytes(s.recv(4),'big'); return s.recv(n)[0]\n" +
        "print(ask(11), ask(19))"
      assert.strictEqual(await sh(id, `python3 -c "$(cat <<'E'\n${asking}\nE\n)"`), "12 5")
      assert.match(await ssh(`agent@${host}`, "cat < $SSH_AUTH_SOCK 2>&1; stat -c %a-%U $SSH_AUTH_SOCK"), /600-root$/)
      assert.include((await lend("git.example").finished).stderr, "has an agent already")
      loan.child.kill("SIGINT")
      await loan.finished
      assert.strictEqual(await sh(id, "echo \"agent: $SSH_AUTH_SOCK\""), "agent:")
      assert.include(loan.stderrSoFar(), "refuses a request that a guest may not make")
    } finally {
      daemon.kill()
    }
  })

  it("a hostile guest that breaks the helper breaks nothing else, and the next use has it again", async () => {
    await sftp(host, "pwd")
    await ssh(host, "for f in /run/pyro/ssh-*; do printf '#!/bin/sh\\nhead -c 1000000 /dev/urandom' > $f; done")
    assert.notStrictEqual((await run("sftp", ["-b", "-", host], "pwd")).code, 0)
    assert.strictEqual(await ssh(host, "echo alive"), "alive")
    await ssh(host, "rm -r /run/pyro/ssh-*")
    assert.include(await sftp(host, "pwd"), "/root")
  })

  it("a pause, a reset, a killed daemon and a deletion end the connection, and the next one works", async () => {
    const { code: known } = await run("ssh", [host, "true"])
    assert.strictEqual(known, 0)
    const endsBy = async (what: () => Promise<unknown>) => {
      const open = await startSsh([host, "echo ready; exec sleep 1000"], "ready")
      await what()
      assert.strictEqual(await open.ended, 255)
      return open.stderr()
    }
    assert.match(await endsBy(() => json(["pause", id])), /pyro: .*paused/)
    // The client resumes it.
    assert.strictEqual(await ssh(host, "cat /workspace/file"), "before")
    assert.match(await endsBy(() => step("reset", id)), /pyro: /)
    assert.strictEqual(await ssh(host, "ls /workspace"), "")
    await endsBy(async () => process.kill(await daemonPid(), "SIGKILL"))
    await settlesAs(() => ssh(host, "pgrep -x sleep | wc -l"), "0", "the next daemon has left the programs")
    assert.match(await endsBy(() => json(["delete", id])), /pyro: /)
    const { code, stderr } = await run("ssh", [host, "true"])
    assert.deepStrictEqual([code, stderr.includes(id)], [255, true])
    assert.strictEqual((await call(["ssh-config", "Odd.name_1", "--remove"], { env: { HOME: home } })).code, 0)
  })
})
