import { assert, describe, it } from "vitest"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

/** The part of a browser's globals that these tests use: the tests have Node's types. */
interface Styles {
  readonly getComputedStyle: (element: unknown) => { readonly color: string }
}

describe("shells on the page", { concurrent: false }, () => {
  const { assertNoFaults, create, page, served, show } = pageOverLocalAgents("shells")
  const screen = () => page().locator(".xterm-rows")
  const shows = (text: RegExp) =>
    until(`the screen shows ${text}`, async () => text.test((await screen().textContent()) ?? ""))

  it("a new shell is a terminal that takes keys and shows what the program prints", async () => {
    await create({ name: "fix" })
    await show("/w/fix/shells")
    await page().getByRole("button", { name: "Open a shell" }).click()
    await screen().waitFor()
    await page().keyboard.type("echo $((6 * 7))ths; printf '\\033[38;2;255;100;0mtrue color\\033[0m\\n'\n")
    await shows(/42ths/)
    const color = await screen().locator("span", { hasText: /^true color$/ }).evaluate(
      (span) => (globalThis as unknown as Styles).getComputedStyle(span).color
    )
    assert.strictEqual(color, "rgb(255, 100, 0)")
  })

  it("the program sees the size of the window, and its changes", async () => {
    // On one line, whatever the width: it ends with the height of the window.
    await page().keyboard.type("while sleep 0.1; do printf '\\r size %s cols ' \"$(stty size)\"; done\n")
    const cols = async () => Number(/size \d+ (\d+) cols/.exec((await screen().textContent()) ?? "")?.[1])
    await until("a wide terminal", async () => await cols() > 120)
    await page().setViewportSize({ width: 700, height: 700 })
    await until("a narrow terminal", async () => await cols() < 90)
    await page().getByRole("listitem").getByText(new RegExp(`, ${await cols()}×\\d+$`)).waitFor()
    await page().setViewportSize({ width: 1280, height: 900 })
    await until("a wide terminal again", async () => await cols() > 120)
    // A shell goes on with its loop if the interrupt meets it between two programs.
    await until("the end of the loop", async () => {
      await page().keyboard.press("Control+c")
      await page().keyboard.type("echo out $((1 + 1))\n")
      await lapsed(200)
      return /out 2/.test((await screen().textContent()) ?? "")
    })
  })

  it("the keyboard leaves the terminal with Shift and Escape", async () => {
    await page().keyboard.press("Shift+Escape")
    const focused = await page().evaluate("document.activeElement.textContent")
    assert.strictEqual(focused, "Copy the selection")
  })

  it("the terminal is accessible", () => assertAccessible(page(), "a shell"))

  it("a shell goes on after the page's connection is lost", async () => {
    await served().stop()
    await page().getByText("No connection to the daemon.").waitFor()
    // It stays in sight while the page scrolls.
    await page().evaluate("document.getElementById('root').style.minHeight = '3000px'; scrollTo(0, 2000)")
    const { y } = (await page().locator(".bar").boundingBox())!
    assert.isTrue(y >= 0 && y < 100, `the bar is at ${y}`)
    await page().evaluate("document.getElementById('root').style.minHeight = ''; scrollTo(0, 0)")
    await served().start()
    await page().getByText("No connection to the daemon.").waitFor({ state: "detached" })
    await page().locator(".xterm").click()
    await until("an answer of the same shell", async () => {
      await page().keyboard.type("echo again $((40 + 2))\n")
      await lapsed(200)
      return ((await screen().textContent()) ?? "").includes("again 42")
    })
  })

  it("a closed shell leaves the list of running ones", async () => {
    await page().getByRole("button", { name: "Close" }).click()
    await page().getByText("The shell is closed.").waitFor()
    assert.strictEqual(await page().locator(".xterm").count(), 0)
  })

  it("the page made no error, and met no refusal of its policy", () => assertNoFaults())
})
