import { lazy, Suspense, useCallback, useEffect, useState } from "react"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { clockText } from "../parts/format.ts"
import { Outcome } from "../parts/outcome.tsx"
import { Problem } from "../parts/problem.tsx"
import { commandText, Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"
import type { Size } from "./terminal.tsx"

/** The terminal is a third of the page's code, so only this view loads it. */
const Terminal = lazy(() => import("./terminal.tsx"))

/** Shells of a workspace: attach, open, close. */
export const Shells = ({ of }: { readonly of: WorkspaceInfo }) => {
  const workspace = of.id
  const { failure, reload, value } = useLoaded(
    `${workspace} ${of.shells ?? 0} ${of.state}`,
    () => ask("workspace.shell.list", { workspace })
  )
  const isRunning = of.state === "running"
  const [run, setRun] = useState(0)
  useEffect(() => {
    if (isRunning) setRun((before) => before + 1)
  }, [isRunning])
  const [shown, setShown] = useState<string>()
  /** Sizes that this page's terminal gave to shells: newer than those of the list. */
  const [sizes, setSizes] = useState<ReadonlyMap<string, Size>>(new Map())
  const resized = useCallback(
    (size: Size) => setSizes((before) => shown === undefined ? before : new Map(before).set(shown, size)),
    [shown]
  )
  const sizeText = ({ cols, rows, shellId }: Size & { readonly shellId: string }) => {
    const size = sizes.get(shellId) ?? { cols, rows }
    return `${size.cols}×${size.rows}`
  }
  const action = useAction()
  const open = () =>
    action.run("open", async () => {
      const { shellId } = await ask("workspace.shell.open", {
        workspace,
        cols: 100,
        rows: 30
      })
      setShown(shellId)
      reload()
      return "The shell is open."
    })
  const close = (shellId: string) =>
    action.run("close", async () => {
      await ask("workspace.shell.close", { workspace, shellId })
      if (shown === shellId) setShown(undefined)
      reload()
      return "The shell is closed."
    })
  return (
    <section aria-labelledby="shells">
      <div className="heading">
        <h2 id="shells">Shells</h2>
        <button
          type="button"
          className="primary"
          disabled={!isRunning || action.running !== undefined}
          onClick={open}
        >
          {action.running === "open" ? "Opening…" : "Open a shell"}
        </button>
      </div>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {action.failure === undefined ? null : <Problem of={action.failure} />}
      {value?.shells.length === 0 ? <p className="empty">No shells are open.</p> : null}
      <ul className="rows">
        {value?.shells.toReversed().map((shell) => (
          <li key={shell.shellId}>
            <code>
              <Text of={shell.command.length === 0 ? "login shell" : commandText(shell.command)} />
            </code>
            <Outcome of={shell} />
            <span className="faint">{`${clockText(shell.startedAt)}, ${sizeText(shell)}`}</span>
            {shell.outcome === "running"
              ? (
                <span className="buttons">
                  <button
                    type="button"
                    aria-pressed={shown === shell.shellId}
                    onClick={() => setShown(shown === shell.shellId ? undefined : shell.shellId)}
                  >
                    {shown === shell.shellId ? "Detach" : "Attach"}
                  </button>
                  <button
                    type="button"
                    disabled={action.running !== undefined}
                    onClick={() => void close(shell.shellId)}
                  >
                    Close
                  </button>
                </span>
              )
              : null}
          </li>
        ))}
      </ul>
      {shown === undefined ? null : (
        <Suspense fallback={<p className="faint">Loading the terminal…</p>}>
          <Terminal key={shown} workspace={workspace} shellId={shown} run={run} resized={resized} />
        </Suspense>
      )}
    </section>
  )
}
