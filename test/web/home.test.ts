import { assert, describe, it } from "vitest"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

describe("the page's list of workspaces", { concurrent: false }, () => {
  const { assertNoFaults, create, open, page, sh } = pageOverLocalAgents("home")
  const row = (name: string) => page().locator("tr", { has: page().getByRole("link", { name, exact: true }) })

  it("a new workspace appears by itself, with state, environment and labels", async () => {
    await page().getByText("No workspaces.").waitFor()
    await create({ name: "fix", labels: { task: "42" } })
    await row("fix").getByText("running").waitFor()
    const text = await row("fix").textContent()
    assert.include(text, "debian:12")
    assert.include(text, "task=42")
  })

  it("the last command and its outcome appear within a moment of its end", async () => {
    await sh("fix", "exit 3")
    const endedAt = Date.now()
    await row("fix").getByText("exit 3").first().waitFor()
    assert.isBelow(Date.now() - endedAt, 2_000)
    assert.include(await row("fix").textContent(), "exit 3")
  })

  it("the filter keeps rows that have every word", async () => {
    await create({ name: "other" })
    await row("other").waitFor()
    await page().getByRole("searchbox").fill("task=42 running")
    await page().getByText("1 of 2 workspaces").waitFor()
    assert.strictEqual(await row("other").count(), 0)
    await page().getByRole("searchbox").fill("")
    await row("other").waitFor()
  })

  it("environments and the use of the disk are on the same page", async () => {
    const section = page().getByRole("region", { name: "Environments and disk" })
    await section.getByText("4.9 KiB used").waitFor()
  })

  it("the list is accessible in light and dark, on a small and a large screen", async () => {
    await assertAccessible(page(), "the list")
    const small = await open({ viewport: { width: 360, height: 800 }, colorScheme: "dark" })
    await small.page.getByRole("link", { name: "fix", exact: true }).waitFor()
    await assertAccessible(small.page, "the list on a small dark screen")
    const overflow = await small.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert.isAtMost(overflow as number, 0, "the page scrolls sideways")
    assert.deepStrictEqual(small.faults, [])
    await small.context.close()
  })

  it("the page made no error, and asked only the daemon", () => assertNoFaults())
})
