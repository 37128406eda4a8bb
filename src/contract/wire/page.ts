/** Subprotocol of a page's WebSocket. The other one that the page offers is its key. */
export const PAGE_PROTOCOL = "pyro"

/** Path of the WebSocket. */
export const PAGE_RPC_PATH = "/rpc"

/** Path that says with its status whether the browser has a session: 200 or 401. */
export const PAGE_SESSION_PATH = "/session"

/** Name of the key in the URL's fragment, and in the storage of the page's origin. */
export const PAGE_KEY = "pyro-key"

const KEY_FORM = /^[A-Za-z0-9_-]{43}$/

/** The parts of a browser's window that the key needs. */
interface PageWindow {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string }
  readonly history: { readonly replaceState: (data: unknown, unused: string, url: string) => void }
  readonly localStorage: {
    readonly getItem: (name: string) => string | null
    readonly setItem: (name: string, value: string) => void
  }
}

/**
 * The subprotocols of the page's next WebSocket. Undefined if this browser has no key: `pyro ui` makes one. Call this before each connection:
 * a newer `pyro ui` may have replaced the key. A key in the URL moves to the storage of the page's origin.
 */
export const pageProtocols = ({ history, localStorage, location }: PageWindow): Array<string> | undefined => {
  const given = new URLSearchParams(location.hash.slice(1)).get(PAGE_KEY)
  if (given !== null) {
    if (KEY_FORM.test(given)) localStorage.setItem(PAGE_KEY, given)
    history.replaceState(null, "", location.pathname + location.search)
  }
  const key = localStorage.getItem(PAGE_KEY)
  return key !== null && KEY_FORM.test(key) ? [PAGE_PROTOCOL, key] : undefined
}
