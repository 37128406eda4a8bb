import "@xterm/xterm/css/xterm.css"
import { FitAddon } from "@xterm/addon-fit"
import { Terminal as Xterm } from "@xterm/xterm"
import { useEffect, useRef, useState } from "react"
import { SHELL_COLS, SHELL_ROWS } from "../../../../src/contract/rows/shell-fields.ts"
import type { AttachEvent } from "../../../../src/contract/rows/workspace-attach.ts"
import { outcomeText } from "../parts/outcome.tsx"
import { Problem } from "../parts/problem.tsx"
import { follow } from "../wire/calls.ts"
import { document } from "./constructed-styles.ts"
import { makeShellInput } from "./input.ts"

const theme = {
  background: "#16181c",
  foreground: "#e3e5e8",
  cursor: "#ff9a4d",
  selectionBackground: "#3d5a80"
}

const within = (value: number, { from, to }: { readonly from: number; readonly to: number }) =>
  Math.max(from, Math.min(to, value))

/** Keys of the page: copy, and a way out of the terminal for the keyboard. */
const pageKeys = (terminal: Xterm, leave: () => void) => (event: KeyboardEvent) => {
  if (event.type !== "keydown") return true
  if (event.key === "Escape" && event.shiftKey) {
    leave()
    return false
  }
  if (event.ctrlKey && event.shiftKey && event.code === "KeyC" && terminal.hasSelection()) {
    event.preventDefault()
    void navigator.clipboard.writeText(terminal.getSelection())
    return false
  }
  return true
}

export interface Size {
  readonly cols: number
  readonly rows: number
}

const makeXterm = () =>
  new Xterm({
    theme,
    documentOverride: document,
    fontFamily: "ui-monospace, \"SFMono-Regular\", Menlo, Consolas, \"DejaVu Sans Mono\", monospace",
    fontSize: 14,
    scrollback: 5_000,
    minimumContrastRatio: 4.5,
    allowProposedApi: false,
    // A link of a guest leads nowhere.
    linkHandler: { activate: () => {} }
  })

/** Draws events of a shell. Each call ends once its events are drawn. */
const drawing =
  (xterm: Xterm, exited: (event: Extract<AttachEvent, { readonly _tag: "Exited" }>) => void) =>
  (events: ReadonlyArray<AttachEvent>) =>
    new Promise<void>((resolve) => {
      for (const event of events) {
        if (event._tag === "Attached") {
          xterm.reset()
          xterm.write(event.screen)
        } else if (event._tag === "Output") xterm.write(event.bytes)
        else if (event._tag === "Exited") exited(event)
      }
      // After all of them are drawn.
      xterm.write("", resolve)
    })

/** A shell of a workspace as a terminal. Closing the view leaves the shell open. */
export default function Terminal({ resized, run, shellId, workspace }: {
  readonly workspace: string
  readonly shellId: string
  /** Number of times that the workspace was seen to begin to run. A shell goes on with the next run after a pause. */
  readonly run: number
  /** Called with each size that the shell gets from this terminal. */
  readonly resized: (size: Size) => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const wayOut = useRef<HTMLButtonElement>(null)
  const terminal = useRef<Xterm>(null)
  const [isReadAloud, setReadAloud] = useState(false)
  const [ended, setEnded] = useState<string>()
  const [failure, setFailure] = useState<Error>()
  const report = useRef(resized)
  report.current = resized
  const present = useRef(run)
  present.current = run
  /** The run in which the shell was left without the program's end. */
  const [left, setLeft] = useState<number>()
  const [attempt, setAttempt] = useState(0)
  const keepsFocus = useRef(true)

  // Not within the same run: an attempt would resume a workspace that a person has just paused.
  useEffect(() => {
    if (left === undefined || run <= left) return
    setLeft(undefined)
    setFailure(undefined)
    setAttempt((before) => before + 1)
  }, [left, run])

  useEffect(() => {
    const xterm = makeXterm()
    terminal.current = xterm
    const fit = new FitAddon()
    xterm.loadAddon(fit)
    xterm.open(place.current!)
    fit.fit()
    const input = makeShellInput()
    const begun = present.current
    let isOver = false
    const size = () => ({ cols: within(xterm.cols, SHELL_COLS), rows: within(xterm.rows, SHELL_ROWS) })
    const resize = () => {
      input.resize(size())
      report.current(size())
    }
    const taken = drawing(xterm, (event) => {
      isOver = true
      setEnded(outcomeText(event))
    })
    const stop = follow("workspace.shell.attach", { workspace, shellId, ...size(), detachKey: "none" }, {
      events: taken,
      input: (sink) => {
        input.connect(sink)
        resize()
      },
      failed: (failure) => {
        input.disconnect()
        setFailure(failure)
        setLeft(begun)
      },
      ended: () => {
        input.disconnect()
        if (!isOver) setLeft(begun)
      }
    })
    const encoder = new TextEncoder()
    xterm.onData((data) => input.type(encoder.encode(data)))
    xterm.onBinary((data) => input.type(Uint8Array.from(data, (character) => character.charCodeAt(0))))
    xterm.onResize(resize)
    xterm.attachCustomKeyEventHandler(pageKeys(xterm, () => wayOut.current?.focus()))
    if (keepsFocus.current) xterm.focus()
    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(place.current!)
    const screen = place.current!
    return () => {
      keepsFocus.current = screen.contains(globalThis.document.activeElement)
      observer.disconnect()
      stop()
      input.disconnect()
      xterm.dispose()
      terminal.current = null
    }
  }, [workspace, shellId, attempt])

  useEffect(() => {
    if (terminal.current !== null) terminal.current.options.screenReaderMode = isReadAloud
  }, [isReadAloud, shellId, attempt])

  return (
    <div className="shell">
      <div className="toolbar">
        <button
          ref={wayOut}
          type="button"
          onClick={() => void navigator.clipboard.writeText(terminal.current?.getSelection() ?? "")}
        >
          Copy the selection
        </button>
        <label className="check">
          <input type="checkbox" checked={isReadAloud} onChange={({ target }) => setReadAloud(target.checked)} />
          for a screen reader
        </label>
        <span className="faint">Shift+Escape leaves the terminal.</span>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
      <p role="status" className="warning">{ended === undefined ? null : `The program has ended: ${ended}.`}</p>
      <div ref={place} className="screen" />
    </div>
  )
}
