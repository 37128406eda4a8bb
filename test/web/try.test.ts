import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { until } from "../support/pyro-cli.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

// Without points, no rewind undoes a keep.
process.env["PYRO_REWIND_MIB"] = "2048"

const PATCH = "--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@\n-first\n+patched\n"
const ATTACK = "<img src=x onerror=\"document.title='owned'\">"

describe("the table of a try on the page", { concurrent: false }, () => {
  const { assertNoFaults, create, folder, page, pyro, served, sh, show } = pageOverLocalAgents("try")
  const project = path.join(folder, "project")
  const row = (name: string) =>
    page().locator("tr").filter({ has: page().locator("th .name").getByText(name, { exact: true }) })
  const output = (name: string) => page().getByRole("region", { name: `Output of ${name}`, exact: true })
  const trying = () => page().getByRole("button", { name: "Try", exact: true })
  const command = (at: number) => page().getByLabel(`Command ${at}`, { exact: true })
  const check = () => page().getByLabel("Command that judges each candidate")
  const files = (...all: ReadonlyArray<readonly [name: string, content: string]>) =>
    page().getByLabel("Add patch files").setInputFiles(
      all.map(([name, content]) => ({ name, mimeType: "text/x-patch", buffer: Buffer.from(content, "latin1") }))
    )
  /** Workspaces with a folder, which a candidate has too. */
  const forks = () => fs.readdirSync(path.join(folder, "state/workspaces")).filter((name) => name.startsWith("ws-"))

  it("a try needs a candidate", async () => {
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "one.txt"), "first\n")
    await create({ name: "fix", seed_path: project, git: "none" })
    await show("/w/fix/try")
    await page().getByText("Give a command or a patch to try.").waitFor()
    assert.isTrue(await trying().isDisabled())
    await assertAccessible(page(), "the request of a try")
  })

  it("the table fills as the candidates end, and the end of the try ends the others", async () => {
    await command(1).fill("echo second > one.txt")
    await page().getByRole("button", { name: "Add a command" }).click()
    await page().keyboard.type("echo begun; sleep 600")
    await files(["good.patch", PATCH], ["bad.patch", PATCH.replace("-first", "-other")])
    await page().getByText("good.patch").waitFor()
    await check().fill("printf '\\033[31mred\\033[0m\\nok 1 - one\\nnot ok 2 - two\\n1..2\\n'; grep -q second one.txt")
    await page().getByLabel("At most at once").fill("4")
    await trying().click()
    await row("echo-second-one.txt").getByText("passed", { exact: true }).waitFor()
    await row("good").getByText("failed (1)").waitFor()
    await row("bad").getByText("patch refused").waitFor()
    await row("echo-begun-sleep-600").getByText("running").waitFor()
    await page().getByText("3 of 4 ended, 1 passed.").waitFor()
    assert.strictEqual(await page().evaluate("document.activeElement.tagName"), "SECTION")
    assert.isTrue(await trying().isDisabled())
    await assertAccessible(page(), "a try that runs")
    // It goes on behind another view.
    await page().getByRole("link", { name: "Timeline" }).click()
    await page().getByRole("link", { name: "Try" }).click()
    await row("echo-begun-sleep-600").getByText("running").waitFor()
    await page().getByRole("button", { name: "End the try" }).click()
    await page().getByText("You ended the try: 3 of 4 ended, 1 passed.").waitFor()
    await row("echo-begun-sleep-600").getByText("ended").waitFor()
    await row("echo-second-one.txt").getByText("passed", { exact: true }).waitFor()
    await until("the candidates are gone", () => forks().length === 1)
  })

  it("a try that has ended has outcome, tests, changes, memory and last lines of each candidate", async () => {
    await page().getByRole("button", { name: "Remove command 2" }).click()
    assert.strictEqual(await page().evaluate("document.activeElement.textContent"), "Add a command")
    await trying().click()
    await page().getByText("3 of 3 ended, 1 passed.").waitFor()
    await row("echo-second-one.txt").getByText("best").waitFor()
    await row("echo-second-one.txt").getByText("1 passed, 1 failed").waitFor()
    assert.include(await row("echo-second-one.txt").textContent(), "1 file +1 −1")
    assert.match((await row("echo-second-one.txt").textContent())!, /\d (B|[KMG]iB)$/)
    assert.strictEqual(await output("good").locator(".fg1").textContent(), "red")
    await page().getByText("fix is as it was.").waitFor()
    await assertAccessible(page(), "the table of a try")
  })

  it("files that are no text, and names that another candidate has, are told apart", async () => {
    await files(["binary.patch", "\xff\xfe"])
    await page().getByRole("alert").getByText("binary.patch cannot be read as UTF-8.").waitFor()
    for (const name of ["Remove command 1", "Remove patch bad.patch"]) {
      await page().getByRole("button", { name }).first().click()
    }
    await files(["good.diff", PATCH], ["best.patch", PATCH], ["candidate-1.patch", PATCH])
    await check().fill("grep -q patched one.txt")
    await trying().click()
    for (const name of ["candidate-1", "candidate-1-x", "candidate-2", "candidate-3"]) {
      await row(name).getByText("passed", { exact: true }).waitFor()
    }
  })

  it("a kept candidate becomes the workspace, and the page undoes the keep", async () => {
    await page().getByRole("combobox", { name: "Keep" }).selectOption("best")
    await page().getByText("The kept candidate becomes the workspace.").waitFor()
    await trying().click()
    await page().getByText("candidate-1-x is kept.").waitFor()
    await row("candidate-1-x").getByText("kept").waitFor()
    await sh("fix", "grep patched one.txt && echo later > later.txt")
    await page().getByRole("link", { name: "Review the result" }).click()
    await page().getByRole("article", { name: "one.txt" }).waitFor()
    await page().getByRole("link", { name: "Try" }).click()
    await page().getByRole("button", { name: "Undo the keep" }).click()
    await page().getByText("fix is as it was before the keep. 2 commands undone.").waitFor()
    await page().getByRole("button", { name: "Undo the keep" }).waitFor({ state: "detached" })
    await row("candidate-1-x").getByText("kept").waitFor({ state: "detached" })
    await sh("fix", "grep first one.txt && test ! -e later.txt && touch undone")
    await page().getByRole("link", { name: "Review", exact: true }).click()
    await page().getByRole("article", { name: "undone" }).waitFor()
    assert.strictEqual(await page().getByRole("article", { name: "one.txt" }).count(), 0)
  })

  it("another candidate of the same try is kept then, and the reason for the best one is shown", async () => {
    await page().getByRole("link", { name: "Try" }).click()
    await page().getByText(/no measure tells it from candidate-\S+, which comes later/).waitFor()
    await page().getByRole("button", { name: "Keep candidate-1", exact: true }).click()
    await page().getByText("candidate-1 is kept.").waitFor()
    await row("candidate-1").getByText("kept").waitFor()
    await sh("fix", "grep patched one.txt && test ! -e undone")
    await page().getByRole("button", { name: "Undo the keep" }).click()
    await page().getByText("fix is as it was before the keep.").first().waitFor()
    await sh("fix", "grep first one.txt")
  })

  it("names of files and output with markup are text", async () => {
    await page().getByRole("link", { name: "Try" }).click()
    await page().getByRole("combobox", { name: "Keep" }).selectOption("none")
    await files([`${ATTACK}\u202e.patch`, PATCH])
    await page().getByText(`${ATTACK}`).waitFor()
    await check().fill(`printf '%s\\n' "${ATTACK.replaceAll("\"", "\\\"")}"; printf '\\033]0;owned\\007'; false`)
    await trying().click()
    await output("candidate-1-x").getByText(ATTACK).waitFor()
    assert.strictEqual(await page().locator("main img").count(), 0)
    assert.notStrictEqual(await page().title(), "owned")
  })

  it("a try whose daemon goes away is told, and leaves no candidate", async () => {
    const patches = page().getByRole("button", { name: /^Remove patch/ })
    while (await patches.count() > 0) await patches.first().click()
    await page().getByRole("button", { name: "Add a command" }).click()
    await command(1).fill("echo begun; sleep 600")
    await trying().click()
    await row("echo-begun-sleep-600").getByText("running").waitFor()
    await served().stop()
    await page().getByRole("alert").getByText("The daemon went away").waitFor()
    await page().getByText("The try failed: 0 of 1 ended").waitFor()
    await until("the candidate is gone", () => forks().length === 1)
    await served().start()
    await page().getByText("No connection").waitFor({ state: "detached" })
  })

  it("a workspace that does not run has no tries", async () => {
    await Effect.runPromise(Stream.runDrain(pyro().workspace.stop({ workspace: "fix" })))
    await page().getByText("A try needs a running workspace.").waitFor()
    assert.isTrue(await trying().isDisabled())
  })

  it("the page made no error", () => assertNoFaults())
})
