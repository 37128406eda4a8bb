import { Effect, Schema, Stream } from "effect"
import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll } from "vitest"
import { ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import { CreatePayload, type CreatePayload as Create } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { type CallerProject, callerProject } from "../../../src/contract/wire/caller-project.ts"
import { sanitizedBuild } from "../../agent/agent.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import { openBrowser, openWindow } from "./browser.ts"
import { type ServedPage, servePage } from "./serve.ts"
import { localWorkspaces } from "./workspaces.ts"

const creation = Schema.decodeUnknownSync(CreatePayload()) as (given: unknown) => Create
const execution = Schema.decodeUnknownSync(ExecPayload()) as (given: unknown) => ExecPayload

/** Opens the page, and waits until it has its key: an address typed before would find none. */
const enter = async (page: Page, address: string) => {
  await page.goto(address)
  await page.getByRole("heading", { name: "Workspaces" }).waitFor()
}

/** The page over local agents, in a browser, for the tests of one file. They share one window. */
export const pageOverLocalAgents = (name: string) => {
  const { folder, remove } = temporaryFolder(`pyro-web-${name}-`)
  let browser: Browser
  let served: ServedPage
  let local: Awaited<ReturnType<typeof localWorkspaces>>
  let window: Awaited<ReturnType<typeof openWindow>>
  beforeAll(async () => {
    local = await localWorkspaces(folder, sanitizedBuild)
    served = await servePage(local.pyro, folder)
    browser = await openBrowser()
    window = await openWindow(browser)
    await enter(window.page, await served.address())
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
    const reports = await local?.close()
    remove()
    assert.deepStrictEqual(reports, [], "a sanitizer reported")
  })
  return {
    folder,
    page: (): Page => window.page,
    pyro: () => local.pyro,
    served: () => served,
    /** A second window, which closes with the browser. */
    open: async (options?: Parameters<typeof openWindow>[1]) => {
      const more = await openWindow(browser, options)
      await enter(more.page, await served.address())
      return more
    },
    /** Another view, as a person who types the address. */
    show: (path: string) => window.page.goto(`http://127.0.0.1:${served.port()}${path}`),
    create: (given: object) => Effect.runPromise(Stream.runDrain(local.pyro.workspace.create(creation(given)))),
    exec: (given: object, caller?: CallerProject) =>
      Effect.runPromise(
        Effect.provideService(Stream.runDrain(local.pyro.workspace.exec(execution(given))), callerProject, caller)
      ),
    sh: (workspace: string, script: string) =>
      Effect.runPromise(Stream.runDrain(local.pyro.workspace.exec(execution({ workspace, script })))),
    assertNoFaults: () => assert.deepStrictEqual(window.faults, [])
  }
}
