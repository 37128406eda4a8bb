import { Context, Effect, Option } from "effect"
import { PageUnavailable } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { UiPayload, UiResult } from "../../contract/rows/ui.ts"

/** The local page of a daemon. Absent in other processes. */
export class Page extends Context.Service<Page, {
  /** Listens on 127.0.0.1, at this port if one is given. Gives the port, and a token that opens the page once, within a minute. */
  readonly open: (
    port: number | undefined
  ) => Effect.Effect<{ readonly port: number; readonly token: string }, PageUnavailable>
  /** Ends every session of a browser, and stops to listen. Returns whether the daemon listened. */
  readonly close: Effect.Effect<boolean>
}>()("pyro/local/Page") {}

/** Path of the view of a workspace. */
const pathOf = (workspace: string | undefined) => workspace === undefined ? "/" : `/w/${encodeURIComponent(workspace)}`

/** Opens or closes the page. */
export const ui = (pyro: PyroService, { close, port, workspace }: UiPayload) =>
  Effect.gen(function*() {
    const page = Option.getOrUndefined(yield* Effect.serviceOption(Page))
    if (page === undefined) return yield* new PageUnavailable({ detail: "only pyro's daemon serves the page" })
    if (close) return { closed: yield* page.close } satisfies UiResult
    const found = workspace === undefined ? undefined : yield* pyro.workspace.status({ workspace })
    const opened = yield* page.open(port)
    const path = pathOf(found?.name ?? found?.id)
    const url = `http://127.0.0.1:${opened.port}${path}?token=${opened.token}`
    return { url, port: opened.port } satisfies UiResult
  })
