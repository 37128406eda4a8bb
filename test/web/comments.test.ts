import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { until } from "../support/pyro-cli.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

const ATTACK = "<img src=x onerror=\"document.title='owned'\">"

describe("comments in the page's review", { concurrent: false }, () => {
  const { assertNoFaults, create, folder, page, pyro, sh, show } = pageOverLocalAgents("comments")
  const project = path.join(folder, "project")
  const change = (file: string) => page().getByRole("article", { name: file, exact: true })
  const remarks = (file: string, on: string) => change(file).getByRole("list", { name: `Comments on ${on}` })
  const outdated = (file: string) => change(file).getByRole("list", { name: `Outdated comments on ${file}` })
  const field = () => page().getByRole("textbox", { name: /^Comment on / })
  const compareAgain = () => page().getByRole("button", { name: "Compare again" }).click()
  const focused = () => page().evaluate("document.activeElement.ariaLabel ?? document.activeElement.tagName")
  const stored = () =>
    page().evaluate(
      "JSON.stringify(Object.entries(localStorage).filter(([key]) => key.startsWith('pyro-comments')))"
    ) as Promise<
      string
    >
  const sent: Array<string> = []

  it("a line's number begins a comment, which the browser keeps", async () => {
    fs.mkdirSync(project)
    fs.writeFileSync(
      path.join(project, "one.txt"),
      `${Array.from({ length: 40 }, (_, at) => `line ${at}`).join("\n")}\n`
    )
    fs.writeFileSync(path.join(project, "two.txt"), "first\n")
    await create({ name: "fix", seed_path: project, git: "none" })
    await sh(
      "fix",
      "sed -i -e 's/^line 5$/changed five/' -e 's/^line 30$/changed thirty/' one.txt; echo second >> two.txt"
    )
    page().on("websocket", (socket) => socket.on("framesent", ({ payload }) => void sent.push(payload.toString())))
    await show("/w/fix/review")
    await change("one.txt").getByRole("button", { name: "Comment on added line 6", exact: true }).click()
    await assertAccessible(page(), "the form of a comment")
    assert.isTrue(await page().getByRole("button", { name: "Save the comment" }).isDisabled())
    await field().fill("Why five?\nSay so.")
    await page().getByRole("button", { name: "Save the comment" }).click()
    await remarks("one.txt", "added line 6").getByText("Why five?").waitFor()
    await page().reload()
    await remarks("one.txt", "added line 6").getByText("Why five?").waitFor()
    await page().getByText("1 comment in this browser").waitFor()
  })

  it("the keyboard reaches each line, saves with Ctrl+Enter, and returns to the line", async () => {
    await change("one.txt").getByRole("region", { name: "Lines of one.txt" }).focus()
    await page().keyboard.press("Tab")
    assert.strictEqual(await focused(), "Comment on line 3")
    for (const _ of [1, 2, 3]) await page().keyboard.press("ArrowDown")
    assert.strictEqual(await focused(), "Comment on removed line 6")
    await page().keyboard.press("Enter")
    await field().waitFor()
    assert.strictEqual(await focused(), "TEXTAREA")
    await page().keyboard.type("Not needed")
    await page().keyboard.press("Control+Enter")
    await remarks("one.txt", "removed line 6").getByText("Not needed").waitFor()
    assert.strictEqual(await focused(), "Comment on removed line 6")
    await page().keyboard.press("Enter")
    await field().fill("never mind")
    await page().keyboard.press("Escape")
    await field().waitFor({ state: "detached" })
    assert.strictEqual(await focused(), "Comment on removed line 6")
    assert.notInclude(await stored(), "never mind")
  })

  it("a comment on a whole file is edited and deleted", async () => {
    await change("two.txt").getByRole("button", { name: "Comment on two.txt", exact: true }).click()
    await field().fill("too long")
    await page().keyboard.press("Control+Enter")
    await page().getByRole("button", { name: "Edit the comment on two.txt" }).click()
    await field().fill("Too short?")
    await page().keyboard.press("Control+Enter")
    await remarks("two.txt", "two.txt").getByText("Too short?").waitFor()
    await page().getByRole("button", { name: "Edit the comment on two.txt" }).click()
    await field().fill("unsaved")
    await page().keyboard.press("Escape")
    await remarks("two.txt", "two.txt").getByText("Too short?").waitFor()
    await change("two.txt").getByRole("button", { name: "Comment on two.txt", exact: true }).click()
    await field().fill("of no use")
    await page().keyboard.press("Control+Enter")
    await page().getByRole("button", { name: "Delete the comment on two.txt" }).last().click()
    await page().getByText("of no use").waitFor({ state: "detached" })
    assert.notInclude(await stored(), "of no use")
  })

  it("comments stand in both forms of the diff", async () => {
    await page().getByLabel("Form of the diff").selectOption("split")
    await remarks("one.txt", "added line 6").getByText("Why five?").waitFor()
    await remarks("one.txt", "removed line 6").getByText("Not needed").waitFor()
    await assertAccessible(page(), "comments side by side")
    await page().getByLabel("Form of the diff").selectOption("inline")
    await assertAccessible(page(), "comments inline")
  })

  it("a comment moves with its hunk, and a changed hunk makes the comment outdated", async () => {
    await change("one.txt").getByRole("button", { name: "Comment on added line 31", exact: true }).click()
    await field().fill("And thirty?")
    await page().keyboard.press("Control+Enter")
    await change("one.txt").getByRole("button", { name: "Comment on added line 31", exact: true }).click()
    await field().fill("a draft")
    await sh("fix", "sed -i -e '15s/^/new\\nnew\\n/' -e 's/changed five/changed 5/' one.txt")
    await compareAgain()
    await remarks("one.txt", "added line 33").getByText("And thirty?").waitFor()
    assert.strictEqual(await field().inputValue(), "a draft")
    await page().getByRole("button", { name: "Cancel" }).click()
    await outdated("one.txt").getByText("Why five?").waitFor()
    await outdated("one.txt").getByText("one.txt:6").first().waitFor()
    await outdated("one.txt").getByText("changed five").waitFor()
    await assertAccessible(page(), "outdated comments")
  })

  it("names, lines and comments with markup are text", async () => {
    await sh("fix", `printf '%s\\n' "${ATTACK.replaceAll("\"", "\\\"")}" > 'a<b onclick=alert(1)>.html'`)
    await compareAgain()
    const file = change("a<b onclick=alert(1)>.html")
    await file.getByRole("button", { name: "Comment on added line 1", exact: true }).click()
    await field().fill(`${ATTACK}\u202e`)
    await page().keyboard.press("Control+Enter")
    await remarks("a<b onclick=alert(1)>.html", "added line 1").getByText(`${ATTACK}\\u202e`).waitFor()
    await sh("fix", "rm a*.html")
    await compareAgain()
    const gone = page().getByRole("list", { name: "Outdated comments on files that are not in the diff" })
    await gone.getByText("a<b onclick=alert(1)>.html:1").waitFor()
    assert.strictEqual(await page().locator("main img").count(), 0)
  })

  it("all comments are copied as text for an agent, in the order of the diff", async () => {
    await page().context().grantPermissions(["clipboard-read", "clipboard-write"])
    await page().getByRole("button", { name: "Copy all comments" }).click()
    await page().getByText("5 comments copied.").waitFor()
    assert.strictEqual(
      await page().evaluate("navigator.clipboard.readText()"),
      [
        "one.txt:33\n> changed thirty\nAnd thirty?\n",
        "one.txt:6 (outdated)\n> changed five\nWhy five?\nSay so.\n",
        "one.txt:6 (outdated)\n> line 5\nNot needed\n",
        "two.txt\nToo short?\n",
        `a<b onclick=alert(1)>.html:1 (outdated)\n> ${ATTACK}\n${ATTACK}\u202e\n`
      ].join("\n")
    )
  })

  it("no comment went to the daemon", () => {
    assert.isAbove(sent.length, 5)
    for (const text of ["Why five", "Not needed", "Too short", "And thirty"]) {
      assert.isFalse(sent.some((frame) => frame.includes(text)), text)
    }
  })

  it("a browser without room says so, and the text stays", async () => {
    await page().evaluate("localStorage.setItem('filler', 'x'.repeat(5 * 1024 * 1024 - 4_000))")
    await change("two.txt").getByRole("button", { name: "Comment on two.txt", exact: true }).click()
    await field().fill("y".repeat(4_000))
    await page().getByRole("button", { name: "Save the comment" }).click()
    await page().getByRole("alert").getByText("no room for the comment").waitFor()
    assert.strictEqual((await field().inputValue()).length, 4_000)
    await page().evaluate("localStorage.removeItem('filler')")
    await page().getByRole("button", { name: "Cancel" }).click()
  })

  it("two windows of a browser keep each other's comments", async () => {
    const other = await page().context().newPage()
    await other.goto(page().url())
    const inOther = other.getByRole("article", { name: "two.txt", exact: true })
    await inOther.getByRole("button", { name: "Comment on two.txt", exact: true }).click()
    await other.getByRole("textbox", { name: /^Comment on / }).fill("from another window")
    await change("two.txt").getByRole("button", { name: "Comment on two.txt", exact: true }).click()
    await field().fill("from this window")
    await other.getByRole("button", { name: "Save the comment" }).click()
    await remarks("two.txt", "two.txt").getByText("from another window").waitFor()
    assert.strictEqual(await field().inputValue(), "from this window")
    await page().getByRole("button", { name: "Save the comment" }).click()
    await inOther.getByText("from this window").waitFor()
    await inOther.getByText("from another window").waitFor()
    await other.close()
  })

  it("the comments on a deleted workspace are gone at the next load", async () => {
    await create({ name: "other" })
    await sh("other", "echo new > new.txt")
    await show("/w/other/review")
    await change("new.txt").getByRole("button", { name: "Comment on new.txt", exact: true }).click()
    await field().fill("stays")
    await page().keyboard.press("Control+Enter")
    await Effect.runPromise(pyro().workspace.delete({ workspaces: ["fix"], all: false, ifExists: false }))
    await show("/")
    await until("the comments are swept", async () => !(await stored()).includes("Why five"))
    assert.include(await stored(), "stays")
  })

  it("the page made no error", () => assertNoFaults())
})
