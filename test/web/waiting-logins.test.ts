import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, it } from "vitest"
import { makeKey } from "../../src/lib/ssh/keys.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { clientScript, hostKey, loginMessages } from "../support/ssh/agent-messages.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

// A person's agent and known_hosts. The page's workspaces are of this process, which has the person's HOME meanwhile.
const { folder, remove } = temporaryFolder("pyro-person-")
const socket = path.join(folder, "agent")
const person = makeKey("person")
const forge = hostKey()
const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" })
const before = process.env["HOME"]
beforeAll(async () => {
  fs.mkdirSync(path.join(folder, ".ssh"))
  fs.writeFileSync(path.join(folder, ".ssh/known_hosts"), `forge.example ${forge.publicLine}\n`)
  const file = path.join(folder, "person")
  fs.writeFileSync(file, person.privateText, { mode: 0o600 })
  await until("ssh-agent", () => fs.existsSync(socket))
  execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" })
})
afterAll(() => {
  if (before !== undefined) process.env["HOME"] = before
  agent.kill()
  remove()
})

describe("logins that wait for the person", { concurrent: false }, () => {
  const { assertNoFaults, create, page, sh, show } = pageOverLocalAgents("waiting-logins")
  const waiting = () => page().getByRole("list", { name: "Logins that wait for you" })
  const login = () => sh("fix", clientScript(loginMessages(forge, person.publicLine)))

  it("the list says that a login waits, and the workspace has the answers", async () => {
    process.env["HOME"] = folder
    await create({ name: "fix", ssh_agent: ["forge.example"], ssh_agent_ask: true, ssh_agent_socket: socket })
    await show("/")
    const asked = login()
    await page().getByRole("link", { name: "a login waits" }).click()
    await waiting().getByText("A login with your SSH agent waits for you: as git to forge.example with SHA256:")
      .waitFor()
    await assertAccessible(page(), "a workspace with a waiting login")
    await waiting().getByRole("button", { name: "Allow the login" }).click()
    await asked
    await waiting().waitFor({ state: "detached" })
    await page().getByText("the lent SSH agent signed a login as git to forge.example with SHA256:").waitFor()
    const denied = login()
    await waiting().getByRole("button", { name: "Deny the login" }).click()
    await denied
    await waiting().waitFor({ state: "detached" })
    await page().getByText(/^a login as git to forge\.example with SHA256:\S+ was denied$/).waitFor()
    await page().getByText("lent for forge.example, asks first").waitFor()
    await assertNoFaults()
  })
})
