import { spawn } from "node-pty"
import { execFileSync, spawn as spawnProcess } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeKey } from "../../src/lib/ssh/keys.ts"
import { installation } from "../support/installation.ts"
import { makeRepository } from "../support/network/private/git.ts"
import { pyroPath, startPyro, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"
import { gitBySsh } from "../support/ssh/git-by-ssh.ts"
import { portable } from "../support/ssh/open-ssh.ts"

// A person's agent and known_hosts, two servers with git on the host's loopback, and a guest with git and OpenSSH's client.
const pyro = installation("pyro-lent-agent-")
const { create, folder, json, sh } = pyro
const home = path.join(folder, "home")
const agent = path.join(folder, "agent")
const agentDaemon = spawnProcess("ssh-agent", ["-D", "-a", agent], { stdio: "ignore" })
const person = makeKey("person")
const [lentKey, otherKey] = [makeKey("lent"), makeKey("other")]
let lent: Awaited<ReturnType<typeof gitBySsh>>
let other: Awaited<ReturnType<typeof gitBySsh>>
afterAll(async () => {
  agentDaemon.kill()
  await lent.close()
  await other.close()
  await pyro.close()
})

const INTERNAL = "host.pyro.internal"
const nameOf = ({ port }: { readonly port: number }) => `[${INTERNAL}]:${port}`
const env = { ...pyro.env, SSH_AUTH_SOCK: agent, HOME: home }

beforeAll(async () => {
  for (const name of ["lent", "other"]) {
    fs.mkdirSync(path.join(folder, name))
    makeRepository(path.join(folder, name))
  }
  const serve = (name: string, { privateText }: { readonly privateText: string }) =>
    gitBySsh({ folder: path.join(folder, name), hostKey: privateText, personKey: person.publicLine })
  lent = await serve("lent", lentKey)
  other = await serve("other", otherKey)
  const known = `${nameOf(lent)} ${lentKey.publicLine}\n${nameOf(other)} ${otherKey.publicLine}\n`
  fs.mkdirSync(path.join(home, ".ssh"), { recursive: true, mode: 0o700 })
  fs.writeFileSync(path.join(home, ".ssh/known_hosts"), known)
  await until("ssh-agent", () => fs.existsSync(agent))
  const file = path.join(folder, "person")
  fs.writeFileSync(file, person.privateText, { mode: 0o600 })
  execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: agent }, stdio: "ignore" })
  fs.rmSync(file)
  const hosts = [lent, other].flatMap(({ port }) => ["--allow-host", `${INTERNAL}:${port}`])
  await create(["--name", "git", ...hosts])
  // The guest has git. Its ssh is the host's: an environment with openssh-client takes minutes to build.
  const tree = path.join(folder, "openssh")
  const command = portable("ssh", tree, "/opt/openssh")
  assert.strictEqual((await pyro.call(["cp", tree, "git:/opt/openssh"])).code, 0)
  await sh(
    "git",
    `mkdir -p ~/.ssh && cat > ~/.ssh/known_hosts <<'END'\n${known}END\n` +
      `git config --global core.sshCommand '${command} -o BatchMode=yes'\n` +
      "git config --global user.name Guest && git config --global user.email guest@example.test\n" +
      [lent, other].map(({ port }, index) =>
        `git -c init.defaultBranch=main init -q /workspace/${index === 0 ? "lent" : "other"} && ` +
        `git -C /workspace/${index === 0 ? "lent" : "other"} remote add origin ssh://git@${INTERNAL}:${port}/repo.git`
      ).join("\n")
  )
})

/** Commits in the guest, and pushes to a branch of that name. Gives what git says, and its status. */
const push = (repository: string, branch: string) =>
  pyro.call([
    ...["exec", "git", "--", "sh", "-c"],
    `cd /workspace/${repository} && git commit -q --allow-empty -m ${branch} && git push origin HEAD:${branch} 2>&1`
  ])

const branches = (name: string) =>
  execFileSync("git", ["--git-dir", path.join(folder, name, "repo.git"), "branch", "--format=%(refname:short)"], {
    encoding: "utf8"
  }).trim().split("\n")

const loan = async () => (await json<{ readonly ssh_agent?: object }>(["status", "git"])).ssh_agent

describe("git push from a workspace, with a lent SSH agent", () => {
  it("git push reaches the named host, no other host, and neither host after the end of the loan", async () => {
    const before = await push("lent", "before")
    assert.notStrictEqual(before.code, 0)
    assert.include(before.stdout.toString(), "Permission denied (publickey)")
    const lending = startPyro(["ssh-agent", "git", "--host", nameOf(lent)], { env })
    await until(lending.stderrSoFar, () => lending.stderrSoFar().includes("lends your SSH agent"))
    assert.deepStrictEqual(await loan(), { hosts: [nameOf(lent)], ask: false })
    for (const command of [["status", "git"], ["list"]]) {
      assert.include((await pyro.call(command)).stdout.toString(), `lent for ${nameOf(lent)}`)
    }
    const pushed = await push("lent", "during")
    assert.strictEqual(pushed.code, 0, `${pushed.stdout.toString()}${lending.stderrSoFar()}`)
    assert.include(branches("lent"), "during")
    assert.include(lending.stderrSoFar(), `signs a login as git to ${nameOf(lent)} with SHA256:`)
    const refused = await push("other", "during")
    assert.notStrictEqual(refused.code, 0)
    assert.include(lending.stderrSoFar(), "refuses a host that the agent is not lent for")
    assert.strictEqual(other.logins(), 0)
    // The socket in the guest is all that the guest has: no key in a file, a variable or a process.
    const secret = person.privateText.split("\n")[4]!.slice(6, 46)
    const found = await sh(
      "git",
      `grep -rlF '${secret}' /root /home /tmp /run /etc /workspace 2>/dev/null || grep -laF '${secret}' /proc/[0-9]*/environ || true`
    )
    assert.strictEqual(found, "")
    lending.child.kill("SIGINT")
    assert.strictEqual((await lending.finished).signal, "SIGINT")
    const logins = lent.logins()
    const after = await push("lent", "after")
    assert.notStrictEqual(after.code, 0)
    assert.include(after.stdout.toString(), "Permission denied (publickey)")
    assert.deepStrictEqual(branches("lent"), ["during", "main"])
    assert.strictEqual(lent.logins(), logins)
    assert.isUndefined(await loan())
  })

  /** `pyro ssh-agent --ask` on a terminal of its own. */
  const asking = async () => {
    const terminal = spawn(process.execPath, [pyroPath, "ssh-agent", "git", "--host", nameOf(lent), "--ask"], {
      cols: 200,
      rows: 30,
      env: { ...process.env, ...env } as Record<string, string>
    })
    let screen = ""
    terminal.onData((text) => screen += text)
    const ended = new Promise<number>((resolve) =>
      terminal.onExit(({ exitCode, signal = 0 }) => resolve(signal === 0 ? exitCode : 128 + signal))
    )
    const shows = (text: string, times = 1) =>
      until(() => `${text} in ${screen}`, () => screen.split(text).length > times)
    await shows("lends your SSH agent")
    return { terminal, ended, shows, screen: () => screen }
  }
  const QUESTION = "Log in to "

  it("--ask asks before each login: yes logs in, and no, an empty answer and another word do not", async () => {
    const { ended, screen, shows, terminal } = await asking()
    assert.deepStrictEqual(await loan(), { hosts: [nameOf(lent)], ask: true })
    const answers = [["y", 0], ["n", 128], ["", 128], ["yesterday", 128], ["yes", 0]] as const
    for (const [index, [answer, code]] of answers.entries()) {
      const pushing = push("lent", `asked-${index}`)
      await shows(QUESTION, index + 1)
      assert.match(screen(), /Log in to \[host\.pyro\.internal\]:\d+ as git with SHA256:\S+\? \[y\/N\] /)
      terminal.write(`${answer}\r`)
      const { code: status, stdout } = await pushing
      assert.strictEqual(status, code, `${answer}: ${stdout.toString()}${screen()}`)
    }
    assert.deepStrictEqual(branches("lent").filter((name) => name.startsWith("asked")), ["asked-0", "asked-4"])
    terminal.write("\u0003")
    assert.strictEqual(await ended, 130)
    await settlesAs(loan, undefined, "the loan goes on without its command")
  })

  it.each([
    ["Ctrl-C", (terminal: ReturnType<typeof spawn>) => terminal.write("\u0003"), [130]],
    // Closes this end of the terminal.
    [
      "a closed terminal",
      (terminal: ReturnType<typeof spawn>) => (terminal as unknown as { readonly destroy: () => void }).destroy(),
      [1, 129]
    ]
  ])("%s at the question ends the loan, and the login fails", async (what, leave, statuses) => {
    const { ended, shows, terminal } = await asking()
    const logins = lent.logins()
    const pushing = push("lent", "left")
    await shows(QUESTION)
    leave(terminal)
    assert.oneOf(await ended, statuses, what)
    assert.notStrictEqual((await pushing).code, 0)
    await settlesAs(loan, undefined, "the loan goes on without its command")
    assert.notInclude(branches("lent"), "left")
    assert.strictEqual(lent.logins(), logins)
  })
})
