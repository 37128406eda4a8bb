import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeKey } from "../../src/lib/ssh/keys.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { clientScript, hostKey, loginMessages } from "../support/ssh/agent-messages.ts"
import { sanitizedBuild } from "./agent.ts"

interface Info {
  readonly sshAgent?: {
    readonly hosts: ReadonlyArray<string>
    readonly ask: boolean
    readonly socket?: string
    readonly detail?: string
  }
  readonly pendingLogins?: ReadonlyArray<{ readonly request: string; readonly host: string; readonly user: string }>
}

const driver = localAgent(sanitizedBuild)
const { folder, remove: removeFolder } = temporaryFolder("pyro-lend-")
const home = path.join(folder, "home")
const person = makeKey("person")
const [forge, other] = [hostKey(), hostKey()]
const sockets = [path.join(folder, "first"), path.join(folder, "second")] as const
const agents = sockets.map((socket) => spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" }))
let client: WorkspacesClient
const { call, create, remove, sh, startProgram } = operations(() => client)

beforeAll(async () => {
  fs.mkdirSync(path.join(home, ".ssh"), { recursive: true })
  fs.writeFileSync(
    path.join(home, ".ssh/known_hosts"),
    `forge.example ${forge.publicLine}\nother.example ${other.publicLine}\n`
  )
  const file = path.join(folder, "person")
  fs.writeFileSync(file, person.privateText, { mode: 0o600 })
  for (const socket of sockets) {
    await until("ssh-agent", () => fs.existsSync(socket))
    execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" })
  }
  fs.rmSync(file)
  client = await driver.open({ enter: ["env", `HOME=${home}`] })
})
afterAll(async () => {
  await driver.close(client)
  for (const agent of agents) agent.kill()
  removeFolder()
})

const lent = (more: object = {}) => ({ ssh_agent: ["forge.example"], ssh_agent_socket: sockets[0], ...more })
const info = (workspace: string) => call<Info>("status", { workspace })
/** Types of the agent's answers to a login: 6 and 14 for a signature, 5 for a refusal. */
const login = async (workspace: string, host = forge) =>
  (await sh(workspace, clientScript(loginMessages(host, person.publicLine)))).split("\n").map(Number)
const SIGNED = [6, 14]
/** A login whose answers go to a file: the process of the workspaces does one call after the other. */
const loginInto = (file: string) => `{ ${clientScript(loginMessages(forge, person.publicLine))}\n} > ${file}`
const socketIn = (workspace: string) => sh(workspace, "printf %s \"$SSH_AUTH_SOCK\"")
const kinds = async (workspace: string) =>
  (await call<{ readonly events: ReadonlyArray<{ readonly kind: string }> }>("events", { workspace })).events
    .map(({ kind }) => kind)
    .filter((kind) => kind.startsWith("ssh_"))
const failure = (work: Promise<unknown>) => work.then(() => "nothing failed", String)
const waiting = async (workspace: string) => {
  await until("a login that waits", async () => (await info(workspace)).pendingLogins !== undefined)
  return (await info(workspace)).pendingLogins![0]!
}

describe("an SSH agent that is lent for the life of a workspace", { concurrent: false }, () => {
  it("signs logins to the named host alone, and status, list and events show it", async () => {
    await create("a", lent())
    const loan = { hosts: ["forge.example"], ask: false, socket: sockets[0] }
    assert.deepStrictEqual((await info("a")).sshAgent, loan)
    assert.deepStrictEqual(await login("a"), SIGNED)
    assert.deepStrictEqual(await login("a", other), [5, 5])
    assert.deepStrictEqual(await login("a", hostKey()), [5, 5])
    // Identities are listed; add, remove and lock are refused.
    assert.strictEqual(await sh("a", clientScript([11, 17, 19, 22].map((type) => Buffer.from([type])))), "12\n5\n5\n5")
    const [first, signed] = await kinds("a")
    assert.deepStrictEqual([first, signed], ["ssh_agent_lent", "ssh_login"])
    assert.include(await kinds("a"), "ssh_agent_refused")
  })

  it("stays after a reset, a stop, a pause and a killed daemon, also for programs from before", async () => {
    await call("reset", { workspace: "a" })
    assert.deepStrictEqual(await login("a"), SIGNED, "after a reset")
    await call("stop", { workspace: "a" })
    assert.isDefined((await info("a")).sshAgent)
    await call("start", { workspace: "a" })
    assert.deepStrictEqual(await login("a"), SIGNED, "after a start")
    await call("pause", { workspace: "a" })
    assert.isDefined((await info("a")).sshAgent, "while it is paused")
    await call("resume", { workspace: "a" })
    assert.deepStrictEqual(await login("a"), SIGNED, "after a pause")
    assert.notInclude(await kinds("a"), "ssh_agent_ended")
    await startProgram("a", `while [ ! -e /workspace/go ]; do sleep 0.05; done\n${loginInto("/workspace/answers")}`)
    await client.kill()
    assert.deepStrictEqual(await login("a"), SIGNED, "after a killed daemon")
    await sh("a", "touch /workspace/go")
    await until("a program from before", async () => (await sh("a", "cat /workspace/answers || true")) === "6\n14")
    await client.close()
    assert.deepStrictEqual(await login("a"), SIGNED, "after a daemon that left")
  })

  it("a fork and a workspace of a saved snapshot have no agent", async () => {
    await call("fork", { workspace: "a", name: "b" })
    await call("save", { workspace: "a", name: "kept" })
    await create("c", { from_snapshot: "kept" })
    for (const workspace of ["b", "c"]) {
      assert.isUndefined((await info(workspace)).sshAgent, workspace)
      assert.strictEqual(await socketIn(workspace), "", workspace)
      const known = `SSH_AUTH_SOCK=/run/pyro/agent.sock; export SSH_AUTH_SOCK\n${clientScript([Buffer.from([11])])}`
      assert.match(await failure(sh(workspace, known)), /Connection|No such file|has closed/, workspace)
    }
    assert.deepStrictEqual(await login("a"), SIGNED)
    await remove("b", "c")
    await call("saved-delete", { names: ["kept"] })
  })

  it("--ssh-agent-ask: a login waits for the answer, and ends with its program", async () => {
    await call("update", { workspace: "a", ...lent({ ssh_agent_ask: true }) })
    for (const [decision, answers] of [["allow", "6\n14"], ["deny", "6\n5"]] as const) {
      await startProgram("a", loginInto(`/workspace/${decision}`))
      const { request, ...about } = await waiting("a")
      assert.deepStrictEqual([about.host, about.user], ["forge.example", "git"])
      const answered = await call<{ readonly host: string; readonly decision: string }>("answer", {
        workspace: "a",
        request,
        decision
      })
      assert.deepStrictEqual([answered.host, answered.decision], ["forge.example", decision])
      await until("the answers", async () => (await sh("a", `cat /workspace/${decision}`)) === answers)
      assert.isUndefined((await info("a")).pendingLogins)
      assert.match(await failure(call("answer", { workspace: "a", request, decision })), /nothing waits as/)
    }
    const program = await startProgram("a", clientScript(loginMessages(forge, person.publicLine)))
    await waiting("a")
    await call("cancel", { workspace: "a", exec_id: program })
    await until("the end of the question", async () => (await info("a")).pendingLogins === undefined)
    assert.deepStrictEqual(
      (await kinds("a")).filter((kind) => kind.startsWith("ssh_login_")),
      ["ssh_login_asked", "ssh_login_answered", "ssh_login_asked", "ssh_login_answered", "ssh_login_asked"]
    )
  })

  it("without its socket nothing is signed and status has the reason; another loan works, and the end of the loan ends it", async () => {
    await call("update", { workspace: "a", ...lent({ ssh_agent: ["forge.example", "other.example"] }) })
    assert.deepStrictEqual(await login("a", other), SIGNED)
    agents[0]!.kill()
    fs.rmSync(sockets[0], { force: true })
    assert.match((await info("a")).sshAgent!.detail!, /^there is no socket, so no login works until you lend it again$/)
    assert.deepStrictEqual(await login("a"), [6, 5])
    await call("update", { workspace: "a", ...lent({ ssh_agent_socket: sockets[1] }) })
    assert.deepStrictEqual((await info("a")).sshAgent, { hosts: ["forge.example"], ask: false, socket: sockets[1] })
    assert.deepStrictEqual(await login("a"), SIGNED)
    assert.deepStrictEqual(await login("a", other), [5, 5])
    await call("update", { workspace: "a", clear_ssh_agent: true })
    assert.isUndefined((await info("a")).sshAgent)
    assert.strictEqual(await socketIn("a"), "")
    assert.strictEqual((await kinds("a")).at(-1), "ssh_agent_ended")
  })

  it("a loan that could not work is refused before anything changes", async () => {
    const second = { ssh_agent_socket: sockets[1] }
    const file = path.join(folder, "home/.ssh/known_hosts")
    const refused = [
      [{ ssh_agent: ["forge.example"] }, /SSH_AUTH_SOCK is not set/],
      [{ ssh_agent: ["never.example"], ...second }, /no key of never\.example/],
      [{ ssh_agent: ["forge.example"], ssh_agent_socket: file }, /it is no socket/],
      [{ ssh_agent: ["forge.example"], ssh_agent_socket: "/nowhere" }, /there is no socket/],
      [{ ssh_agent_ask: true }, /needs ssh_agent/],
      [{ ssh_agent: [], ...second }, /ssh_agent|at least 1/],
      [{ ssh_agent: ["a b"], ...second }, /must be a host/]
    ] as const
    for (const [given, expected] of refused) {
      assert.match(await failure(call("update", { workspace: "a", ...given })), expected)
      assert.match(await failure(create("d", given)), expected)
    }
    assert.match(
      await failure(call("update", { workspace: "a", ...lent(second), clear_ssh_agent: true })),
      /cannot be combined/
    )
    assert.isUndefined((await info("a")).sshAgent)
    await remove("a")
  })
})
