import type { Page } from "playwright-core"
import { assert, describe, it } from "vitest"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

const WIDE = { width: 3840, height: 2160 }

/** Maximum characters of a line of prose: longer ones are hard to follow to the next line. */
const CHARACTERS = 100

/** The shown paragraphs with a line longer than this, and what is stretched: an image, a field, a button or a choice over half of the screen. The opener of a command is as long as the command. */
const tooWide = (page: Page) =>
  page.evaluate((most) => {
    interface Box {
      readonly width: number
      readonly height: number
      readonly top: number
    }
    interface Element {
      readonly textContent: string
      readonly tagName: string
      readonly getBoundingClientRect: () => Box
    }
    interface Range {
      readonly setStart: (node: unknown, at: number) => void
      readonly setEnd: (node: unknown, at: number) => void
      readonly getClientRects: () => ArrayLike<Box>
    }
    const browser = globalThis as unknown as {
      readonly document: {
        readonly querySelectorAll: (selector: string) => Iterable<Element>
        readonly createRange: () => Range
        readonly createTreeWalker: (
          root: Element,
          what: number
        ) => { readonly nextNode: () => { textContent: string } | null }
      }
      readonly innerWidth: number
    }
    const { document, innerWidth } = browser
    /** Characters of the longest line of an element, by the places of its characters. */
    const longest = (element: Element) => {
      const walker = document.createTreeWalker(element, 4)
      const lines = new Map<number, number>()
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        for (let at = 0; at < node.textContent.length; at++) {
          const range = document.createRange()
          range.setStart(node, at)
          range.setEnd(node, at + 1)
          const [box] = Array.from(range.getClientRects())
          if (box === undefined || box.width === 0) continue
          // Words of another font stand some pixels higher in the same line.
          const line = Math.round(box.top / 8)
          lines.set(line, (lines.get(line) ?? 0) + 1)
        }
      }
      return Math.max(0, ...lines.values())
    }
    const prose = [...document.querySelectorAll("main p")]
      .map((element) => ({ text: element.textContent.slice(0, 60), characters: longest(element) }))
      .filter(({ characters }) => characters > most)
    const stretched = [
      ...document.querySelectorAll("main input, main textarea, main select, main button:not(.opener), main img")
    ]
      .filter((element) => element.getBoundingClientRect().width > innerWidth / 2)
      .map(({ tagName, textContent }) => `${tagName} ${textContent.slice(0, 60)}`)
    return { prose, stretched }
  }, CHARACTERS)

describe("the page on a screen of 3840 by 2160 pixels", { concurrent: false }, () => {
  const { assertNoFaults, create, page, sh, show } = pageOverLocalAgents("large-screen")

  const views: ReadonlyArray<readonly [path: string, ready: () => Promise<void>]> = [
    ["/", () => page().getByRole("link", { name: "fix", exact: true }).waitFor()],
    ["/w/fix", () => page().locator(".entry").first().waitFor()],
    ["/w/fix/review", () => page().getByRole("article").first().waitFor()],
    ["/w/fix/try", () => page().getByRole("button", { name: "Try", exact: true }).waitFor()],
    ["/w/fix/shells", () => page().getByRole("heading", { name: "Shells" }).waitFor()],
    ["/w/fix/services", () => page().getByRole("heading", { name: "Services" }).waitFor()],
    ["/w/fix/files", () => page().getByRole("button", { name: "note.txt", exact: true }).waitFor()],
    ["/w/fix/network", () => page().getByText("No connections yet.").waitFor()],
    ["/w/fix/tree", () => page().getByText("now", { exact: true }).waitFor()]
  ]

  it("no view scrolls sideways, has long lines of prose, or is stretched", async () => {
    await create({ name: "fix", labels: { task: "42" } })
    await sh("fix", "echo a long line of output: $(seq -s ' ' 1 400); echo note > note.txt; exit 3")
    await page().setViewportSize(WIDE)
    for (const [path, ready] of views) {
      await show(path)
      await ready()
      const overflow = await page().evaluate("document.documentElement.scrollWidth - innerWidth")
      assert.isAtMost(overflow as number, 0, `${path} scrolls sideways`)
      assert.deepStrictEqual(await tooWide(page()), { prose: [], stretched: [] }, path)
      await assertAccessible(page(), `${path} on a large screen`)
    }
  })

  it("the text is larger than on a small screen, and the page does not fill the width", async () => {
    await show("/")
    await page().getByRole("link", { name: "fix", exact: true }).waitFor()
    const fontSize = () => page().evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    const large = await fontSize()
    assert.isAtMost((await page().locator("main").boundingBox())!.width, 2_400)
    await page().setViewportSize({ width: 1280, height: 900 })
    assert.isAbove(large as number, (await fontSize()) as number)
  })

  it("the page made no error", () => assertNoFaults())
})
