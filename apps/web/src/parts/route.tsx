import type { AnchorHTMLAttributes, MouseEvent } from "react"
import { announcement } from "../live/action.ts"
import { keepPlace } from "../live/focus.ts"
import { makeStore, useStore } from "../live/store.ts"

const place = () => location.pathname + location.search

const current = makeStore(place())
globalThis.addEventListener("popstate", () => current.set(place()))

/** Shows another state of the same view, and leaves the page where it is scrolled. The browser's Back returns. */
export const goWithin = (to: string) => {
  if (to === place()) return
  history.pushState(null, "", to)
  current.set(place())
}

/** Shows another view of the page. The browser's Back returns. */
export const go = (to: string) => {
  if (to === place()) return
  goWithin(to)
  scrollTo(0, 0)
}

/** The present path and query. */
export const usePlace = () => new URL(useStore(current), location.origin)

const isPlain = (event: MouseEvent) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

/** A link to another view. The end of an earlier step would stand there over content that it is not about. */
export const Link = ({ to, ...rest }: { readonly to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) => (
  <a
    {...rest}
    href={to}
    onClick={(event) => {
      if (!isPlain(event)) return
      event.preventDefault()
      announcement.set("")
      keepPlace()()
      go(to)
    }}
  />
)

/** Path of a workspace's view. */
export const pathOf = (workspace: string, view = "") =>
  `/w/${encodeURIComponent(workspace)}${view === "" ? "" : `/${view}`}`
