import { Effect, Fiber, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { until } from "../support/pyro-cli.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

describe("the page of a workspace", { concurrent: false }, () => {
  const { assertNoFaults, create, exec, folder, page, pyro, sh, show } = pageOverLocalAgents("workspace")
  const entry = (text: string) => page().locator(".entry", { hasText: text })

  it("the timeline has each command with its outcome, as it starts and as it ends", async () => {
    await create({ name: "fix" })
    await show("/w/fix")
    await entry("created").waitFor()
    const command = sh("fix", "echo waiting; until [ -e done ]; do sleep 0.05; done; exit 4")
    await entry("echo waiting").getByText("running").waitFor()
    await sh("fix", "touch done")
    await command
    await entry("echo waiting").getByText("exit 4").waitFor()
  })

  it("a command opens to its output, with colors and carriage returns as on a terminal", async () => {
    await sh("fix", String.raw`printf '\033[31mred\033[0m plain\nprogress 10%%\rprogress 99%%\n'`)
    await entry("red").getByRole("button").click()
    const output = entry("red").getByRole("region")
    await output.getByText("progress 99%").waitFor()
    const text = await output.textContent()
    assert.notInclude(text, "progress 10%")
    assert.notInclude(text, "\\x1b")
    assert.strictEqual(await output.locator(".fg1").textContent(), "red")
  })

  it("a command of a model names its MCP client as text", async () => {
    const name = "<b>Host</b> \u202e2.1"
    await exec({ workspace: "fix", script: "echo by-a-model" }, { project: "", all: true, client: name })
    await entry("echo by-a-model").getByText("by <b>Host</b> \\u202e2.1", { exact: true }).waitFor()
  })

  it("a long output is shown by pages", async () => {
    await sh("fix", "seq 1 1000000")
    await entry("seq").getByRole("button").first().click()
    const output = entry("seq").getByRole("region")
    const shows = (text: string) =>
      until(`the output has ${JSON.stringify(text)}`, async () => (await output.textContent())!.includes(text))
    await shows("\n1000000\n")
    const lines = await output.evaluate((element) => element.textContent!.split("\n").length)
    assert.isBelow(lines, 60_000)
    await entry("seq").getByRole("button", { name: "Start" }).click()
    await shows("1\n2\n3\n")
    await entry("seq").getByRole("button", { name: "Later" }).click()
    await entry("seq").getByText(/^256 KiB to 512 KiB of 6\.6 MiB$/).waitFor()
    await entry("seq").getByRole("button").first().click()
  })

  it("a running command is ended by a button", async () => {
    const command = sh("fix", "echo endless; sleep 600")
    await entry("echo endless").getByRole("button").click()
    await entry("echo endless").getByText("endless").last().waitFor()
    await page().getByRole("button", { name: "End the command" }).click()
    await page().getByText("The command is ended.").waitFor()
    await command
  })

  it("an open SSH connection is shown until its end", async () => {
    const facts = page().locator(".facts-of")
    const connection = Effect.runFork(
      Stream.runDrain(pyro().workspace.ssh.proxy({ workspace: "fix" }, { stdin: Stream.never }))
    )
    await facts.getByText("1 open").waitFor()
    await Effect.runPromise(Fiber.interrupt(connection))
    await facts.getByText("1 open").waitFor({ state: "detached" })
  })

  it("a refused request is marked as failed", async () => {
    const refused = page().locator(".entry", { hasText: "asks: reset no-such" })
    await Effect.runPromise(
      Effect.flip(Stream.runDrain(pyro().workspace.reset({ workspace: "fix", snapshot: "no-such" })))
    )
    await refused.getByText("failed", { exact: true }).waitFor()
  })

  it("the timeline is accessible", () => assertAccessible(page(), "the timeline"))

  it("a fork asks for a name, and the page shows it", async () => {
    await page().getByRole("button", { name: "Fork…" }).click()
    await assertAccessible(page(), "the question for a name")
    await page().getByLabel("Name of the fork").fill("second")
    await page().getByRole("dialog").getByRole("button", { name: "Fork" }).click()
    await page().getByRole("heading", { name: "second" }).waitFor()
    await page().getByText("Fork second is ready.").waitFor()
  })

  it("a deletion asks for the name if changes were never exported", async () => {
    await sh("second", "echo new > new.txt")
    await page().getByRole("button", { name: "Delete…" }).click()
    const dialog = page().getByRole("dialog")
    await dialog.getByText("2 changed files are not exported.").waitFor()
    assert.isTrue(await dialog.getByRole("button", { name: "Delete" }).isDisabled())
    await dialog.getByLabel(/Type second to go on/).fill("secon")
    assert.isTrue(await dialog.getByRole("button", { name: "Delete" }).isDisabled())
    await assertAccessible(page(), "the question before a deletion")
    await page().keyboard.press("Escape")
    assert.strictEqual((await Effect.runPromise(pyro().workspace.status({ workspace: "second" }))).state, "running")
    await page().getByRole("button", { name: "Delete…" }).click()
    await dialog.getByLabel(/Type second to go on/).fill("second")
    await dialog.getByRole("button", { name: "Delete" }).click()
    await page().getByText("second is deleted.").waitFor()
    await page().getByRole("heading", { name: "Workspaces" }).waitFor()
  })

  it("a deletion asks without a name after an export of the same diff", async () => {
    const project = path.join(folder, "project")
    fs.mkdirSync(project)
    await create({ name: "third", seed_path: project, git: "none" })
    await sh("third", "echo new > new.txt")
    await show("/w/third/review")
    await page().getByRole("button", { name: "Write the patch" }).click()
    await page().getByText("The reviewed diff").waitFor()
    assert.include(fs.readFileSync(path.join(project, "third.patch"), "utf8"), "+new")
    await page().getByRole("button", { name: "Delete…" }).click()
    await page().getByText("All changes are exported.").waitFor()
    await page().getByRole("dialog").getByRole("button", { name: "Delete" }).click()
    await page().getByText("third is deleted.").waitFor()
  })

  it("the page made no error", () => assertNoFaults())
})
