import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { pageOverLocalAgents } from "../support/web/harness.ts"

const ATTACK = "<img src=x onerror=\"document.title='owned'\">"
const SCRIPT = "<script>document.title='owned'</script>"

describe("a hostile guest on the page", { concurrent: false }, () => {
  const { assertNoFaults, create, exec, folder, page, sh, show } = pageOverLocalAgents("hostile")
  /** What a successful attack would leave: a title, an element, or a control character in a text of the page. */
  const assertHarmless = async (view: string) => {
    assert.notStrictEqual(await page().title(), "owned", view)
    assert.strictEqual(
      await page().locator("img:not([alt=\"\"]):not(.preview), iframe, object, embed").count(),
      0,
      view
    )
    assert.strictEqual(await page().locator("body script").count(), 0, view)
    const text = (await page().evaluate("document.body.innerText + document.title")) as string

    assert.notMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u, view)
  }

  it("labels, names of files and commands with markup are text", async () => {
    const project = path.join(folder, "project")
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "old.txt"), "old\n")
    await create({ name: "fix", labels: { note: `x${ATTACK}` }, seed_path: project, git: "none" })
    await exec({ workspace: "fix", command: ["echo", ATTACK, SCRIPT, "\u202etxt.exe"] })
    await show("/")
    await page().getByText(`note=x${ATTACK}`).waitFor()
    await page().locator("code", { hasText: "<img src=x" }).waitFor()
    await assertHarmless("the list")
  })

  it("output with markup, titles and links of a terminal is text", async () => {
    await sh(
      "fix",
      String.raw`printf '%s\n' "${
        SCRIPT.replaceAll("'", "")
      }"; printf '\033]0;owned\007\033]8;;javascript:alert(1)\033\\link\033]8;;\033\\ \033[2J\033[1000;1000H\033[9999999C\302\233 \342\200\256abc end\n'`
    )
    await show("/w/fix")
    const entry = page().locator(".entry", { hasText: "printf" }).first()
    await entry.getByRole("button").click()
    const output = entry.getByRole("region")
    await output.getByText("end").waitFor()
    const text = (await output.textContent())!
    assert.include(text, "<script>")
    assert.include(text, "\\u202eabc")
    assert.strictEqual(await output.locator("a").count(), 0)
    await assertHarmless("the timeline")
  })

  it("names and contents of changed files are text", async () => {
    await sh(
      "fix",
      String
        .raw`printf '%s\n' '<svg onload=alert(1)>' > 'a<b onclick=alert(1)>.html'; printf x > "$(printf 'new\nline\033[31m\342\200\256')"; ` +
        `printf 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+<script>alert(2)</script>\n' > old.txt`
    )
    await show("/w/fix/review")
    await page().getByText("3 changed files").waitFor()
    const files = await page().locator("article.change").evaluateAll((all) =>
      all.map((article) => (article as unknown as { ariaLabel: string }).ariaLabel)
    )
    assert.strictEqual(files.length, 3, "content that looks like a patch makes no file")
    assert.include(
      await page().locator("article.change", { hasText: "old.txt" }).textContent(),
      "+<script>alert(2)</script>"
    )
    assert.include(files.join(), "a<b onclick=alert(1)>.html")
    await assertHarmless("the review")
  })

  it("names that differ by blanks look different", async () => {
    await sh(
      "fix",
      `mkdir blanks; cd blanks; touch 'a b' 'a  b' 'a b ' ' a b' "$(printf 'a\\302\\240b')" "$(printf 'a\\nb')"`
    )
    await show("/w/fix/files")
    await page().getByRole("button", { name: "blanks/" }).click()
    await page().locator("button bdi", { hasText: String.raw`a\nb` }).waitFor()
    const shown = await page().locator("button bdi", { hasText: "b" }).filter({ hasText: "a" }).evaluateAll((all) =>
      all.map((one) => (one as unknown as { readonly offsetWidth: number; readonly innerText: string }))
        .map(({ innerText, offsetWidth }) => `${offsetWidth} ${innerText}`)
    )
    assert.strictEqual(new Set(shown).size, 6, shown.join("|"))
  })

  it("attributes with names mark blanks, too: a screen reader reads them instead of the text", async () => {
    await page().locator("button bdi", { hasText: /^a {2}b$/ }).click()
    await page().getByRole("article", { name: String.raw`blanks/a\x20\x20b`, exact: true })
      .getByRole("region", { name: String.raw`Text of blanks/a\x20\x20b`, exact: true }).waitFor()
    await sh("fix", "echo 'c  d'")
    await show("/w/fix")
    const entry = page().locator(".entry", { hasText: "c  d" }).first()
    await entry.getByRole("button").click()
    await entry.getByRole("region", { name: /c\\x20\\x20d/ }).waitFor()
  })

  it("files are text or images, never documents", async () => {
    await sh(
      "fix",
      `printf '%s' '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>' > picture.svg; printf '<script>alert(1)</script>' > photo.png`
    )
    await show("/w/fix/files")
    for (const name of ["picture.svg", "photo.png"]) {
      await page().getByRole("button", { name, exact: true }).click()
      await page().getByRole("article", { name }).getByRole("region").waitFor()
      assert.strictEqual(await page().locator("img.preview").count(), 0)
    }
    await assertHarmless("the files")
  })

  it("addresses that name no workspace are text", async () => {
    await show(`/w/${encodeURIComponent(ATTACK)}`)
    await page().getByText("No workspace").waitFor()
    await assertHarmless("an unknown workspace")
    await show("/w/%E0%A4%A/review")
    await page().getByText("No workspace").waitFor()
  })

  it("a program of a shell changes nothing outside of its screen", async () => {
    await show("/w/fix/shells")
    await page().getByRole("button", { name: "Open a shell" }).click()
    await page().locator(".xterm-rows").waitFor()
    await page().keyboard.type(
      String
        .raw`printf '\033]0;owned\007\033]52;c;b3duZWQ=\007\033]8;;javascript:alert(1)\033\\link\033]8;;\033\\ done%s\n' 1` +
        "\n"
    )
    await page().locator(".xterm-rows").getByText(/done1/).waitFor()
    await assertHarmless("a shell")
  })

  it("the page ran nothing of it, and met no refusal of its policy", () => assertNoFaults())
})
