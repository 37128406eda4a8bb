import { type ReactNode, useEffect } from "react"
import favicon from "./favicon.svg"
import { Home } from "./home/home.tsx"
import { useStore } from "./live/store.ts"
import { Link, usePlace } from "./parts/route.tsx"
import { linkState } from "./wire/link.ts"

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

const Missing = () => (
  <main id="main" tabIndex={-1}>
    <h1>No such page</h1>
    <p>
      <Link to="/">All workspaces</Link>
    </p>
  </main>
)

const viewOf = (path: string): ReactNode => {
  const [, first = "", id = "", view = "", ...rest] = path.split("/")
  if (first === "") return <Home />
  void id, view, rest
  return <Missing />
}

export const App = () => {
  const { pathname } = usePlace()
  useEffect(() => {
    if (pathname === "/") document.title = "pyro"
  }, [pathname])
  return (
    <>
      <a className="skip" href="#main">Skip to the content</a>
      <header className="top">
        <Link to="/" className="brand" aria-label="pyro, all workspaces">
          <img src={favicon} alt="" width="22" height="22" />
          pyro
        </Link>
        <nav aria-label="Page" id="crumbs" />
      </header>
      <ConnectionBar />
      {viewOf(pathname)}
    </>
  )
}
