import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

describe("the page's review", { concurrent: false }, () => {
  const { assertNoFaults, create, folder, page, sh, show } = pageOverLocalAgents("review")
  const change = (file: string) => page().getByRole("article", { name: file, exact: true })
  const project = path.join(folder, "project")
  const output = path.join(project, "out", "fix.patch")
  const exporting = () => page().getByRole("button", { name: "Write the patch" })
  const applying = () => page().getByRole("button", { name: "Apply to the project" })

  it("the diff has each file with its counts, mode and lines", async () => {
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "one.txt"), "first\nsecond\nthird\n")
    fs.writeFileSync(path.join(project, "run.sh"), "echo run\n")
    fs.writeFileSync(path.join(project, "gone.txt"), "gone\n")
    await create({ name: "fix", seed_path: project, git: "none" })
    await sh(
      "fix",
      "sed -i s/second/2nd/ one.txt; chmod +x run.sh; rm gone.txt; head -c 100 /dev/urandom > blob; printf '\\0' >> blob"
    )
    await show("/w/fix/review")
    await page().getByText("4 changed files, 1 line added, 2 removed").waitFor()
    assert.include(await change("one.txt").textContent(), "2nd")
    assert.include(await change("one.txt").textContent(), "+1 −1")
    await change("run.sh").getByText("file → executable file").waitFor()
    await change("gone.txt").getByText("deleted").waitFor()
    await change("blob").getByText("Binary content").waitFor()
  })

  it("the diff is side by side or inline, as the person chooses", async () => {
    await page().getByLabel("Form of the diff").selectOption("split")
    assert.strictEqual(await change("one.txt").locator("tr", { hasText: "second" }).locator("td").count(), 4)
    assert.include(await change("one.txt").locator("tr", { hasText: "second" }).textContent(), "2nd")
    await assertAccessible(page(), "the review side by side")
    await page().getByLabel("Form of the diff").selectOption("inline")
    assert.strictEqual(await change("one.txt").locator("tr", { hasText: "second" }).locator("td").count(), 3)
    await assertAccessible(page(), "the review inline")
  })

  it("an export writes exactly the reviewed diff, and none that has changed since", async () => {
    await sh("fix", "echo later > later.txt")
    await page().getByText("The workspace was used since this comparison").waitFor()
    await page().getByLabel("Patch file on this computer").fill(output)
    await exporting().click()
    await page().getByRole("alert").getByText("The workspace has changed since").waitFor()
    assert.isFalse(fs.existsSync(output))
    await page().getByRole("button", { name: "Compare again" }).click()
    await change("later.txt").waitFor()
    await page().getByLabel("Patch file on this computer").fill(output)
    await exporting().click()
    await page().getByText("The reviewed diff").waitFor()
    assert.include(fs.readFileSync(output, "utf8"), "+later")
  })

  it("the page says before that it writes in the project alone", async () => {
    for (
      const outside of [
        path.join(folder, "fix.patch"),
        path.join(project, "..", "fix.patch"),
        `${project}/../fix.patch`
      ]
    ) {
      await page().getByLabel("Patch file on this computer").fill(outside)
      await page().getByText("The page writes in the project alone").waitFor()
      assert.isTrue(await exporting().isDisabled())
    }
    await page().getByLabel("Patch file on this computer").fill(output)
  })

  it("an existing file is replaced only if the person says so", async () => {
    await page().getByText("The reviewed diff").waitFor()
    await exporting().click()
    const refusal = page().getByRole("alert").getByText("it is there already")
    await refusal.waitFor()
    assert.include(await page().getByRole("alert").textContent(), "check \"Replace the file if it exists\"")
    assert.strictEqual(
      await page().getByText("The reviewed diff").count(),
      0,
      "the message of the export before is gone"
    )
    await page().getByLabel("Replace the file if it exists").check()
    await exporting().click()
    await page().getByRole("alert").waitFor({ state: "detached" })
  })

  it("files that tools of the host run by themselves are marked, and the export waits for a leave", async () => {
    await sh("fix", "mkdir -p .vscode; echo '{}' > .vscode/tasks.json")
    await page().getByRole("button", { name: "Compare again" }).click()
    await change(".vscode/tasks.json").getByText("an editor runs tasks").waitFor()
    await page().getByText("1 changed file may run on your computer by itself.").waitFor()
    assert.isTrue(await exporting().isDisabled())
    assert.isTrue(await page().getByRole("button", { name: "Download the patch" }).isDisabled())
    await assertAccessible(page(), "the review of executable configuration")
    await page().getByLabel("Allow files that tools of this computer run by themselves").check()
    assert.isFalse(await exporting().isDisabled())
  })

  it("the browser gets the patch as a download", async () => {
    const [download] = await Promise.all([
      page().waitForEvent("download"),
      page().getByRole("button", { name: "Download the patch" }).click()
    ])
    assert.strictEqual(download.suggestedFilename(), "fix.patch")
    const patch = fs.readFileSync((await download.path())!, "utf8")
    assert.include(patch, "+2nd")
    assert.include(patch, ".vscode/tasks.json")
  })

  it("a file of the person's own that has changed is named before the press, and nothing can be applied", async () => {
    fs.writeFileSync(path.join(project, "one.txt"), "mine\n")
    await page().getByRole("button", { name: "Compare again" }).click()
    await page().getByText("one.txt: it has changed since pyro last read or wrote it").waitFor()
    assert.isTrue(await applying().isDisabled())
    assert.isFalse(await exporting().isDisabled())
    await assertAccessible(page(), "the review of changes that cannot be applied")
  })

  it("the reviewed diff is applied to the files of the project, once they are as they were", async () => {
    fs.writeFileSync(path.join(project, "one.txt"), "first\nsecond\nthird\n")
    await page().getByRole("button", { name: "Look at the files again" }).click()
    await page().getByText("Applying changes 6 files").waitFor()
    await assertAccessible(page(), "the review of changes that can be applied")
    await applying().click()
    await page().getByText("The reviewed diff is applied: 6 files changed").waitFor()
    assert.strictEqual(fs.readFileSync(path.join(project, "one.txt"), "utf8"), "first\n2nd\nthird\n")
    assert.isFalse(fs.existsSync(path.join(project, "gone.txt")))
    assert.notStrictEqual(fs.statSync(path.join(project, "run.sh")).mode & 0o100, 0)
    assert.isTrue(fs.existsSync(path.join(project, ".vscode", "tasks.json")))
    assert.deepStrictEqual(fs.readdirSync(project).filter((name) => name.startsWith(".pyro")), [])
    await page().getByText("There is nothing to export.").waitFor()
    assert.isTrue(await applying().isDisabled())
    // The pressed button has gone, and the keyboard's place is in the page still.
    await page().locator("main:focus, main :focus").waitFor({ state: "attached" })
  })

  it("the next round of changes is reviewed and applied alone, without a step elsewhere", async () => {
    await sh("fix", "sed -i s/third/3rd/ one.txt; echo back > gone.txt")
    await page().getByRole("button", { name: "Compare again" }).click()
    await page().getByText("2 changed files, 2 lines added, 1 removed").waitFor()
    assert.include(await change("one.txt").textContent(), "+1 −1")
    await page().getByText("Applying changes 2 files").waitFor()
    await applying().click()
    await page().getByText("The reviewed diff is applied: 2 files changed").waitFor()
    assert.strictEqual(fs.readFileSync(path.join(project, "one.txt"), "utf8"), "first\n2nd\n3rd\n")
    assert.strictEqual(fs.readFileSync(path.join(project, "gone.txt"), "utf8"), "back\n")
    await page().getByText("There is nothing to export.").waitFor()
  })

  it("a diff that has changed since the comparison is not applied", async () => {
    await sh("fix", "echo 3rd > other.txt")
    await page().getByRole("button", { name: "Compare again" }).click()
    await change("other.txt").waitFor()
    await page().getByText("Applying changes 1 file").waitFor()
    await sh("fix", "echo 4th > other.txt")
    await applying().click()
    await page().getByRole("alert").getByText("The workspace has changed since").waitFor()
    assert.isFalse(fs.existsSync(path.join(project, "other.txt")))
  })

  it("the page made no error", () => assertNoFaults())
})
