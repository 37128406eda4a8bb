import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeKey } from "../../src/lib/ssh/keys.ts"
import { installation } from "../support/installation.ts"
import { makeRepository } from "../support/network/private/git.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { gitBySsh } from "../support/ssh/git-by-ssh.ts"
import { portable } from "../support/ssh/open-ssh.ts"

// A person's agent and known_hosts, two servers with git on the host's loopback, and a guest with git and OpenSSH's client.
const { folder, remove } = temporaryFolder("pyro-person-")
const home = path.join(folder, "home")
const agent = path.join(folder, "agent")
// The daemon reads the known_hosts of its user. The cache stays that of all tests.
const XDG_CACHE_HOME = process.env["XDG_CACHE_HOME"] ?? path.join(os.homedir(), ".cache")
const pyro = installation("pyro-lasting-agent-", { env: { HOME: home, SSH_AUTH_SOCK: agent, XDG_CACHE_HOME } })
const agentDaemon = spawn("ssh-agent", ["-D", "-a", agent], { stdio: "ignore" })
const person = makeKey("person")
const hostKeys = [makeKey("lent"), makeKey("other")]
const INTERNAL = "host.pyro.internal"
let servers: ReadonlyArray<Awaited<ReturnType<typeof gitBySsh>>> = []
const nameOf = (at: number) => `[${INTERNAL}]:${servers[at]!.port}`
const call = async (...words: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await pyro.call(words)
  return { code, stderr, stdout: stdout.toString() }
}
const done = async (...words: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await call(...words)
  assert.strictEqual(code, 0, `${words.join(" ")}: ${stdout}${stderr}`)
  return stdout
}

interface Info {
  readonly ssh_agent?: object
  readonly pending_logins?: ReadonlyArray<{ readonly request: string }>
}
const info = (workspace = "git") => pyro.json<Info>(["status", workspace])

beforeAll(async () => {
  for (const name of ["lent", "other"]) {
    fs.mkdirSync(path.join(folder, name))
    makeRepository(path.join(folder, name))
  }
  servers = await Promise.all(
    ["lent", "other"].map((name, at) =>
      gitBySsh({ folder: path.join(folder, name), hostKey: hostKeys[at]!.privateText, personKey: person.publicLine })
    )
  )
  const known = hostKeys.map(({ publicLine }, at) => `${nameOf(at)} ${publicLine}\n`).join("")
  fs.mkdirSync(path.join(home, ".ssh"), { recursive: true, mode: 0o700 })
  fs.writeFileSync(path.join(home, ".ssh/known_hosts"), known)
  await until("ssh-agent", () => fs.existsSync(agent))
  const file = path.join(folder, "person")
  fs.writeFileSync(file, person.privateText, { mode: 0o600 })
  execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: agent }, stdio: "ignore" })
  fs.rmSync(file)
  const allowed = servers.flatMap(({ port }) => ["--allow-host", `${INTERNAL}:${port}`])
  await done("create", "--name", "git", ...allowed, "--ssh-agent", nameOf(0))
  // The guest has git. Its ssh is the host's: an environment with openssh-client takes minutes to build.
  const tree = path.join(folder, "openssh")
  const command = portable("ssh", tree, "/opt/openssh")
  await done("cp", tree, "git:/opt/openssh")
  await done(
    ...["exec", "git", "--", "sh", "-ec"],
    `mkdir -p ~/.ssh && cat > ~/.ssh/known_hosts <<'END'\n${known}END\n` +
      `git config --global core.sshCommand '${command} -o BatchMode=yes'\n` +
      "git config --global user.name Guest && git config --global user.email guest@example.test\n" +
      ["lent", "other"].map((name, at) =>
        `git -c init.defaultBranch=main init -q /workspace/${name} && ` +
        `git -C /workspace/${name} remote add origin ssh://git@${INTERNAL}:${servers[at]!.port}/repo.git`
      ).join("\n")
  )
})
afterAll(async () => {
  agentDaemon.kill()
  for (const server of servers) await server.close()
  await pyro.close()
  remove()
})

/** Commits in the guest, and pushes to a branch of that name. */
const push = (repository: string, branch: string, workspace = "git") =>
  call(
    ...["exec", workspace, "--", "sh", "-c"],
    `cd /workspace/${repository} && git commit -q --allow-empty -m ${branch} && git push origin HEAD:${branch} 2>&1`
  )

const branches = (name: string) =>
  execFileSync("git", ["--git-dir", path.join(folder, name, "repo.git"), "branch", "--format=%(refname:short)"], {
    encoding: "utf8"
  }).trim().split("\n")

describe("git push from a workspace with an SSH agent for its life", { concurrent: false }, () => {
  it("reaches the named host and no other, also after a restart of the daemon and a pause; a fork reaches none", async () => {
    assert.deepStrictEqual((await info()).ssh_agent, { hosts: [nameOf(0)], ask: false, socket: agent })
    assert.include(await done("list"), `lent for ${nameOf(0)}`)
    const pushed = await push("lent", "first")
    assert.strictEqual(pushed.code, 0, pushed.stdout)
    await done("daemon", "stop")
    const again = await push("lent", "second")
    assert.strictEqual(again.code, 0, again.stdout)
    await done("pause", "git")
    await done("resume", "git")
    const resumed = await push("lent", "third")
    assert.strictEqual(resumed.code, 0, resumed.stdout)
    assert.includeMembers(branches("lent"), ["first", "second", "third"])
    const refused = await push("other", "first")
    assert.notStrictEqual(refused.code, 0)
    assert.strictEqual(servers[1]!.logins(), 0)
    await done("fork", "git", "--name", "copy")
    assert.isUndefined((await info("copy")).ssh_agent)
    assert.notStrictEqual((await push("lent", "copied", "copy")).code, 0)
    assert.notInclude(branches("lent"), "copied")
    const events = await done("timeline", "git", "--only", "events")
    assert.include(events, `signed a login as git to ${nameOf(0)} with SHA256:`)
    assert.include(events, "refused a host that the agent is not lent for")
  })

  it("--ssh-agent-ask: a push waits for pyro answer, and is denied or allowed; then the loan ends", async () => {
    await done("update", "git", "--ssh-agent", nameOf(0), "--ssh-agent-ask")
    for (const [decision, code] of [["deny", 128], ["allow", 0]] as const) {
      const pushing = push("lent", decision)
      await until("the question", async () => (await info()).pending_logins !== undefined, 120_000)
      const [{ request } = { request: "" }] = (await info()).pending_logins ?? []
      assert.include(await done("status", "git"), `pyro answer git ${request} allow`)
      const { stderr } = await call("answer", "git", request, decision)
      assert.include(stderr, `login as git to ${nameOf(0)} with SHA256:`)
      const { code: status, stdout } = await pushing
      assert.strictEqual(status, code, stdout)
    }
    assert.include(branches("lent"), "allow")
    assert.notInclude(branches("lent"), "deny")
    await done("update", "git", "--clear-ssh-agent")
    assert.isUndefined((await info()).ssh_agent)
    assert.notStrictEqual((await push("lent", "late")).code, 0)
    assert.notInclude(branches("lent"), "late")
  })
})
