import { type ReactNode, useEffect } from "react"
import favicon from "./favicon.svg"
import { Home } from "./home/home.tsx"
import { announcement } from "./live/action.ts"
import { keepPlace } from "./live/focus.ts"
import { useStore } from "./live/store.ts"
import { Link, usePlace } from "./parts/route.tsx"
import { Text } from "./parts/text.tsx"
import { linkState } from "./wire/link.ts"
import { WorkspacePage } from "./workspace/page.tsx"

const messages = {
  connecting: "Connecting to the daemon…",
  lost: "No connection to the daemon. The page tries again and goes on by itself.",
  "signed-out": "This browser's session is over. Run `pyro ui` for a new link."
} as const

/** Says that the page shows an old state. */
const ConnectionBar = () => {
  const state = useStore(linkState)
  return (
    <div role="status" className="bar-region">
      {state === "open" ? null : <p className={`bar ${state}`}>{messages[state]}</p>}
    </div>
  )
}

/** How long the end of a step stays over the page: long enough to read two lines twice. The timeline has it from then on. */
const SHOWN_MS = 20_000

/** The end of the last step, for a screen reader and for the eye. */
const Announcement = () => {
  const text = useStore(announcement)
  useEffect(() => {
    if (text === "") return
    const timer = setTimeout(() => announcement.set(""), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [text])
  const dismiss = () => {
    keepPlace()()
    announcement.set("")
  }
  return (
    <div role="status" className="announcement">
      {text === "" ? null : (
        <p>
          <Text of={text} />
          <button type="button" className="quiet" aria-label="Dismiss" onClick={dismiss}>✕</button>
        </p>
      )}
    </div>
  )
}

const Missing = () => (
  <main id="main" tabIndex={-1}>
    <h1>No such page</h1>
    <p>
      <Link to="/">All workspaces</Link>
    </p>
  </main>
)

/** A part of a path. Text that is no valid encoding stays as it is. */
const decoded = (part: string) => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const viewOf = (path: string): ReactNode => {
  const [, first = "", id = "", view = "", ...rest] = path.split("/").map(decoded)
  if (first === "" && id === "") return <Home />
  if (first === "w" && id !== "" && rest.length === 0) return <WorkspacePage key={id} id={id} view={view} />
  return <Missing />
}

export const App = () => {
  const { pathname } = usePlace()
  return (
    <>
      <a className="skip" href="#main">Skip to the content</a>
      <header className="top">
        <Link to="/" className="brand" aria-label="pyro, all workspaces">
          <img src={favicon} alt="" width="22" height="22" />
          pyro
        </Link>
      </header>
      <ConnectionBar />
      <Announcement />
      {viewOf(pathname)}
    </>
  )
}
