import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"
import { openBrowser, openWindow } from "../support/web/browser.ts"
import { crowd } from "../support/web/crowd.ts"
import { builtPage, type ServedPage, servePage } from "../support/web/serve.ts"

const COUNT = 200

describe("the page with 200 workspaces", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-web-crowd-")
  const { change, pyro, readers } = crowd(COUNT)
  let browser: Browser
  let served: ServedPage
  let window: Awaited<ReturnType<typeof openWindow>>
  beforeAll(async () => {
    served = await servePage(pyro, folder)
    browser = await openBrowser()
    window = await openWindow(browser)
    await window.page.goto(await served.address())
    await window.page.getByText(`${COUNT} workspaces`).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
    remove()
  })
  const shows = (turn: number, rows = COUNT) =>
    window.page.getByText(`npm test ${turn}`, { exact: true }).nth(rows - 1).waitFor()
  const heap = async () => {
    const session = await window.context.newCDPSession(window.page)
    await session.send("HeapProfiler.collectGarbage")
    const { usedSize } = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return usedSize / 1_048_576
  }

  it("the whole page has at most 355 kB, compressed", () => {
    const html = fs.readFileSync(path.join(builtPage, "index.html"), "utf8")
    const assets = new Map(
      fs.readdirSync(path.join(builtPage, "assets")).map((
        name
      ) => [name, fs.readFileSync(path.join(builtPage, "assets", name))])
    )
    // Earlier builds leave their files for pages that are open: follow the names from the HTML.
    const wanted = new Set<string>()
    const visit = (text: string) => {
      for (const name of assets.keys()) {
        if (wanted.has(name) || !text.includes(name)) continue
        wanted.add(name)
        visit(assets.get(name)!.toString())
      }
    }
    visit(html)
    assert.isAbove(wanted.size, 3)
    const bytes = [...wanted].reduce((sum, name) => sum + zlib.gzipSync(assets.get(name)!, { level: 9 }).length, 0)
    assert.isAtMost(bytes, 355_000)
  })

  it("the first paint comes within 300 ms", async () => {
    const paints: Array<number> = []
    // The quickest of some: other work of the host delays each of them.
    for (let n = 0; n < 8 && (paints.length === 0 || Math.min(...paints) > 300); n++) {
      await window.page.reload()
      await window.page.getByText(`${COUNT} workspaces`).waitFor()
      paints.push(
        await window.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") as number
      )
    }
    assert.isAtMost(Math.min(...paints), 300, paints.join())
  })

  it("a change of some rows costs the page a part of what a change of all rows costs", async () => {
    // Processor time of the page's main thread, so that other work of the host does not count.
    const session = await window.context.newCDPSession(window.page)
    await session.send("Performance.enable", { timeDomain: "threadTicks" })
    const worked = async () => {
      const { metrics } = await session.send("Performance.getMetrics")
      return 1_000 * metrics.find(({ name }) => name === "TaskDuration")!.value
    }
    const costs = async (rows: number, times: number) => {
      const all: Array<number> = []
      for (let n = 0; n < times; n++) {
        const before = await worked()
        const turn = change(rows)
        await lapsed(250)
        all.push(await worked() - before)
        await shows(turn, rows)
      }
      return all.sort((one, other) => one - other)[times >> 1]!
    }
    await costs(COUNT, 2)
    const [some, all] = [await costs(5, 9), await costs(COUNT, 5)]
    await session.detach()
    // 16 ms and 47 ms were measured on a host of two slow cores, and two frames are 33 ms. A host that is slower by the day is no failure.
    assert.isBelow(some, 0.75 * all)
  })

  it("a row that does not change is not rendered again", async () => {
    const first = window.page.locator("tbody tr").first()
    await first.evaluate((row) => Object.assign(row, { isSame: true }))
    await shows(change())
    assert.isTrue(await first.evaluate((row) => (row as unknown as { isSame?: boolean }).isSame))
  })

  it("a day of changes leaves no more memory than some of them", async () => {
    for (let n = 0; n < 20; n++) change()
    await shows(change())
    const before = await heap()
    for (let n = 0; n < 300; n++) {
      change()
      if (n % 50 === 0) await shows(change())
    }
    await shows(change())
    assert.isBelow(await heap() - before, 15)
  })

  it("the page goes on after a restart of the daemon, with the same filter", async () => {
    await window.page.getByRole("searchbox").fill("crowd-17")
    await window.page.getByText("11 of 200 workspaces").waitFor()
    await served.stop()
    await window.page.getByText("No connection to the daemon.").waitFor()
    await until("the end of the watch", () => readers() === 0)
    await served.start()
    await window.page.getByText("No connection to the daemon.").waitFor({ state: "detached" })
    await window.page.getByText(`npm test ${change()}`, { exact: true }).nth(10).waitFor()
    await window.page.getByText("11 of 200 workspaces").waitFor()
  })

  it("a browser whose session is over is told to open the page again", async () => {
    await window.page.evaluate("localStorage.clear()")
    await served.stop()
    await served.start()
    await window.page.getByText("This browser's session is over.").waitFor()
  })
})
