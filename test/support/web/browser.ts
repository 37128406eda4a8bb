import * as fs from "node:fs"
import { createRequire } from "node:module"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { assert } from "vitest"

/** Debian's, which scripts/setup/packages.mjs names. */
const executablePath = "/usr/bin/chromium"

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

export interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
}

/** A browser without a screen. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] })

/** A window of the browser whose page may make no error, meet no refusal of its policy, and load nothing from elsewhere. */
export const openWindow = async (
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0] = {}
): Promise<{ readonly context: BrowserContext; readonly page: Page; readonly faults: Array<string> }> => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const faults: Array<string> = []
  page.on("pageerror", (error) => faults.push(String(error.stack)))
  page.on("console", (message) => {
    // The browser, too, reports a lost connection: of a held port, a socket that the kernel took and no listener did.
    if (
      message.type() === "error" &&
      !/WebSocket|ERR_(CONNECTION_(REFUSED|RESET)|SOCKET_NOT_CONNECTED)/.test(message.text())
    ) {
      faults.push(message.text())
    }
  })
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on("request", (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|blob:http:\/\/127\.0\.0\.1:)/.test(request.url())) {
      faults.push(`a request: ${request.url()}`)
    }
  })
  return { context, page, faults }
}

/** Fails if the present view breaks a rule of axe-core. Its script comes by the debugger, which the page's policy does not bind. */
export const assertAccessible = async (page: Page, view: string) => {
  await page.evaluate(axeSource)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: ReadonlyArray<Violation> }> } }
    return (await axe.run()).violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ failureSummary, html }) => ({ html, failureSummary: failureSummary ?? "" }))
    }))
  })
  assert.deepStrictEqual(violations, [], `${view} is not accessible`)
}
