import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react"
import { Lines } from "./ansi-text.tsx"
import { AnsiLines } from "./ansi.ts"
import { nameText } from "./blanks.ts"
import { bytesText } from "./format.ts"
import { Problem } from "./problem.tsx"

/** A part of an output, from a position on. `next` is absent at the end of a finished output. */
export interface OutputPart {
  readonly text: string
  readonly next?: number | undefined
  readonly skippedBytes?: number | undefined
}

/** Bytes of one read, and of what the page shows at a time: longer output is shown by pages. */
const READ_BYTES = 65_536
const SHOWN_BYTES = 4 * READ_BYTES
const POLL_MS = 250

interface Shown {
  readonly from: number
  readonly to: number
  readonly skippedBytes: number
  readonly ansi: AnsiLines
}

const startOf = (from: number): Shown => ({ from, to: from, skippedBytes: 0, ansi: new AnsiLines() })

/**
 * Output of a command or service, by pages: the browser holds one page, whatever the length. While it runs and the end is shown, the page follows.
 * `read` gives at most `maxBytes` from a position on.
 */
export const Output = ({ isRunning, label, read, size }: {
  readonly label: string
  /** Bytes so far. */
  readonly size: number
  readonly isRunning: boolean
  readonly read: (cursor: number, maxBytes: number) => Promise<OutputPart>
}) => {
  const [shown, setShown] = useState(() => startOf(Math.max(0, size - SHOWN_BYTES)))
  const [failure, setFailure] = useState<Error>()
  const [asked, setAsked] = useState(() => shown.from)
  const [turn, setTurn] = useState(0)
  const element = useRef<HTMLPreElement>(null)
  /** The newest line stays in view until the person scrolls up. */
  const isAtEnd = useRef(isRunning || asked > 0)
  const stay = () => {
    isAtEnd.current = false
  }
  const latest = useRef({ read, isRunning, size })
  latest.current = { read, isRunning, size }
  const end = Math.max(size, shown.to)

  useEffect(() => {
    let isCurrent = true
    const load = async () => {
      let now = startOf(asked)
      for (;;) {
        const { next, skippedBytes = 0, text } = await latest.current.read(now.to, READ_BYTES)
        if (!isCurrent) return
        now.ansi.push(text)
        const to = next ?? Math.max(now.to, latest.current.size)
        const hasMore = to > now.to && text !== ""
        now = { ...now, to, skippedBytes: now.skippedBytes + skippedBytes }
        setShown(now)
        // A page is full. The person goes on by hand, and a follower jumps to the newest page.
        if (now.to - now.from >= SHOWN_BYTES) {
          const { isRunning, size } = latest.current
          if (!isAtEnd.current || (!isRunning && now.to >= size)) return
          now = startOf(Math.max(now.to, size - SHOWN_BYTES))
        }
        if (hasMore) continue
        if (!latest.current.isRunning) return
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        if (!isCurrent) return
      }
    }
    setFailure(undefined)
    load().catch((problem: unknown) => {
      if (isCurrent) setFailure(problem instanceof Error ? problem : new Error(String(problem)))
    })
    return () => {
      isCurrent = false
    }
    // `size` grows while a command runs; the loop reads on by itself.
  }, [asked, turn])

  useLayoutEffect(() => {
    const pre = element.current
    if (pre !== null && isAtEnd.current) pre.scrollTop = pre.scrollHeight
  }, [shown])

  const showFrom = useCallback((from: number, toEnd = false) => {
    isAtEnd.current = toEnd
    setAsked(Math.max(0, from))
    setTurn((before) => before + 1)
  }, [])

  return (
    <div className="output">
      {failure === undefined ? null : <Problem of={failure} retry={() => showFrom(shown.from)} />}
      {end <= SHOWN_BYTES && shown.from === 0 ? null : (
        <div className="toolbar">
          <button type="button" disabled={shown.from === 0} onClick={() => showFrom(0)}>Start</button>
          <button type="button" disabled={shown.from === 0} onClick={() => showFrom(shown.from - SHOWN_BYTES)}>
            Earlier
          </button>
          <button type="button" disabled={shown.to >= end} onClick={() => showFrom(shown.to)}>Later</button>
          <button type="button" disabled={shown.to >= end} onClick={() => showFrom(end - SHOWN_BYTES, true)}>
            End
          </button>
          <span className="faint">
            {`${bytesText(shown.from)} to ${bytesText(shown.to)} of ${bytesText(end)}`}
          </span>
        </div>
      )}
      {shown.skippedBytes === 0 ?
        null :
        <p className="faint">{`${bytesText(shown.skippedBytes)} are gone: the log has a limit.`}</p>}
      <pre
        ref={element}
        className="console"
        tabIndex={0}
        role="region"
        aria-label={nameText(label)}
        // The browser scrolls by itself, too, when it learns the heights of lines: only an action of the person stops the view from following.
        onWheel={({ deltaY }) => {
          if (deltaY < 0) stay()
        }}
        onPointerDown={stay}
        onTouchMove={stay}
        onKeyDown={({ key }) => {
          if (key === "PageUp" || key === "ArrowUp" || key === "Home") stay()
        }}
        onScroll={({ currentTarget: { clientHeight, scrollHeight, scrollTop } }) => {
          if (shown.to >= end && scrollTop + clientHeight >= scrollHeight - 30) isAtEnd.current = true
        }}
      >
        {shown.to === 0 && !isRunning ? <span className="faint">no output</span> : null}
        {shown.ansi.blocks().map((lines, at) => <Lines key={`${shown.from}:${at}`} of={lines} />)}
      </pre>
    </div>
  )
}
