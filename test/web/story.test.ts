import * as fs from "node:fs"
import * as path from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { assertAccessible, openBrowser, openWindow } from "../support/web/browser.ts"

// A person lets an agent work in a microVM, and looks, reviews and exports on the page alone.
describe("a review on the page, of work in a microVM", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-web-story-")
  const project = path.join(folder, "project")
  const pyro = installation("pyro-web-story-state-")
  let browser: Browser
  let window: Awaited<ReturnType<typeof openWindow>>
  beforeAll(async () => {
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "greet.sh"), "echo hello\n")
    fs.writeFileSync(path.join(project, "test.sh"), "test \"$(sh greet.sh)\" = 'Hello, world!'\n")
    browser = await openBrowser()
    window = await openWindow(browser)
    const { url } = await pyro.json<{ readonly url: string }>(["ui"])
    await window.page.goto(url)
    await window.page.getByRole("heading", { name: "Workspaces" }).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await pyro.close()
    remove()
  })
  const page = () => window.page
  const run = (script: string) => pyro.call(["workspace", "exec", "fix", "--", "sh", "-c", script])

  it("the workspace of an agent appears on the page that is open", async () => {
    await pyro.json(["workspace", "create", "--name", "fix", "--seed-path", project, ...smallSizes])
    await page().getByRole("link", { name: "fix", exact: true }).click()
    await page().getByRole("heading", { name: "fix" }).waitFor()
  })

  it("each command of the agent is seen with its outcome, within a moment", async () => {
    assert.strictEqual((await run("sh test.sh")).code, 1)
    await page().locator(".entry", { hasText: "sh test.sh" }).getByText("exit 1").waitFor()
    await run("echo \"echo 'Hello, world!'\" > greet.sh")
    assert.strictEqual((await run("sh test.sh && echo passed")).code, 0)
    const entry = page().locator(".entry", { hasText: "echo passed" })
    await entry.getByText("ok").waitFor()
    await entry.getByRole("button").click()
    await entry.getByRole("region").getByText("passed").waitFor()
    await assertAccessible(page(), "the timeline of a microVM")
  })

  it("the person looks into the guest with a shell", async () => {
    await page().getByRole("link", { name: "Shells" }).click()
    await page().getByRole("button", { name: "Open a shell" }).click()
    await page().locator(".xterm-rows").waitFor()
    await page().keyboard.type("hostname; sh greet.sh\n")
    await page().locator(".xterm-rows").getByText("Hello, world!").waitFor()
  })

  it("the shell goes on after a pause and a resume, and the page does not resume the workspace by itself", async () => {
    const screen = page().locator(".xterm-rows")
    await page().keyboard.type("export KEPT=value\n")
    await page().getByRole("button", { name: "Pause" }).click()
    await page().getByRole("button", { name: "Resume", exact: true }).waitFor()
    await page().locator(".shell").getByText(/paused/).waitFor()
    assert.deepStrictEqual((await pyro.list()).map(({ state }) => state), ["paused"])
    await page().getByRole("button", { name: "Resume", exact: true }).click()
    await page().locator(".shell").getByText(/paused/).waitFor({ state: "detached" })
    await screen.getByText("KEPT").first().waitFor()
    await page().locator(".xterm").click()
    await page().keyboard.type("echo $KEPT-again\n")
    await screen.getByText("value-again").waitFor()
  })

  it("the reviewed diff is applied to the files of the project, and nothing else", async () => {
    await page().getByRole("link", { name: "Review" }).click()
    await page().getByText("1 changed file, 1 line added, 1 removed").waitFor()
    await page().getByRole("button", { name: "Apply to the project" }).click()
    await page().getByText("The reviewed diff is applied: 1 file changed").waitFor()
    assert.strictEqual(fs.readFileSync(path.join(project, "greet.sh"), "utf8"), "echo 'Hello, world!'\n")
    assert.deepStrictEqual(fs.readdirSync(project).sort(), ["greet.sh", "test.sh"])
  })

  it("the page goes on after the daemon's restart, and the person deletes the workspace", async () => {
    await pyro.json(["daemon", "stop"])
    await page().getByText("No connection to the daemon.").waitFor()
    await pyro.list()
    await page().getByText("No connection to the daemon.").waitFor({ state: "detached" })
    await page().getByRole("button", { name: "Delete…" }).click()
    // They are part of the baseline since they were applied.
    await page().getByText("The workspace has no changes.").waitFor()
    await page().getByRole("dialog").getByRole("button", { name: "Delete" }).click()
    await page().getByText("fix is deleted.").waitFor()
    assert.deepStrictEqual(await pyro.list(), [])
  })

  it("the page made no error", () => assert.deepStrictEqual(window.faults, []))
})
