import { makeStore, type Store } from "../live/store.ts"
import { workspaces } from "../live/workspaces.ts"
import { type Comment, MOST_COMMENTS, parsed, type Place } from "./comment.ts"

const PREFIX = "pyro-comments:"

const keyOf = (workspace: string) => `${PREFIX}${workspace}`

/** The comments on a workspace. */
export interface Kept {
  readonly comments: ReadonlyArray<Comment>
  /** Ids of the comments that the person writes at present. A comment with an empty text was never saved. */
  readonly open: ReadonlySet<string>
}

const stores = new Map<string, Store<Kept>>()

/** Texts that are being written, by the comment's id. A change of the diff or a look at another view keeps them. */
const drafts = new Map<string, string>()

const stored = (workspace: string) => {
  try {
    return parsed(localStorage.getItem(keyOf(workspace)))
  } catch {
    return []
  }
}

/** The comments on a workspace, as this browser keeps them. */
export const commentsOn = (workspace: string): Store<Kept> => {
  const known = stores.get(workspace)
  if (known !== undefined) return known
  const store = makeStore<Kept>({ comments: stored(workspace), open: new Set() })
  stores.set(workspace, store)
  return store
}

/** Shows the stored comments, and the new ones that are still written. */
const show = (workspace: string, saved: ReadonlyArray<Comment>, open = commentsOn(workspace).get().open) => {
  const store = commentsOn(workspace)
  const fresh = store.get().comments.filter(({ id, text }) => text === "" && open.has(id))
  store.set({ comments: [...saved, ...fresh.filter(({ id }) => saved.every((one) => one.id !== id))], open })
}

// Another window of this browser changed the comments.
globalThis.addEventListener("storage", ({ key }) => {
  for (const workspace of stores.keys()) if (key === keyOf(workspace)) show(workspace, stored(workspace))
})

const without = <A>(all: ReadonlySet<A>, one: A) => new Set([...all].filter((other) => other !== one))

/** Another window may have changed the stored comments, so each change begins with them. */
const write = (
  workspace: string,
  id: string,
  change: (saved: ReadonlyArray<Comment>) => ReadonlyArray<Comment>
) => {
  const saved = change(stored(workspace))
  try {
    if (saved.length === 0) localStorage.removeItem(keyOf(workspace))
    else localStorage.setItem(keyOf(workspace), JSON.stringify(saved))
  } catch {
    throw new Error("This browser has no room for the comment. Delete comments that you no longer need.")
  }
  drafts.delete(id)
  show(workspace, saved, without(commentsOn(workspace).get().open, id))
}

const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** Begins a comment. It is kept when the person saves it. */
export const begin = (workspace: string, file: string, on?: Place) => {
  const { comments, open } = commentsOn(workspace).get()
  const id = newId()
  commentsOn(workspace).set({
    comments: [...comments, { id, file, text: "", ...(on === undefined ? {} : { on }) }],
    open: new Set([...open, id])
  })
}

export const edit = (workspace: string, id: string) => {
  const { comments, open } = commentsOn(workspace).get()
  commentsOn(workspace).set({ comments, open: new Set([...open, id]) })
}

/** Forgets what the person wrote since the last save, and a new comment altogether. */
export const cancel = (workspace: string, id: string) => {
  const { comments, open } = commentsOn(workspace).get()
  drafts.delete(id)
  commentsOn(workspace).set({
    comments: comments.filter((one) => one.id !== id || one.text !== ""),
    open: without(open, id)
  })
}

/** Keeps a comment in this browser. Fails if the browser has no room, or the workspace has the most comments. */
export const save = (workspace: string, { file, id, on }: Comment, text: string) =>
  write(workspace, id, (saved) => {
    const comment: Comment = { id, file, text, ...(on === undefined ? {} : { on }) }
    if (saved.some((one) => one.id === id)) return saved.map((one) => one.id === id ? comment : one)
    if (saved.length >= MOST_COMMENTS) {
      throw new Error(`A workspace has at most ${MOST_COMMENTS} comments. Delete comments that you no longer need.`)
    }
    return [...saved, comment]
  })

export const remove = (workspace: string, id: string) =>
  write(workspace, id, (saved) => saved.filter((one) => one.id !== id))

export const draftOf = ({ id, text }: Comment) => drafts.get(id) ?? text

export const keepDraft = (id: string, text: string) => void drafts.set(id, text)

/** Removes the comments on workspaces that are gone, once the page knows which ones there are. */
export const sweepComments = () => {
  const stop = workspaces.subscribe(() => {
    const all = workspaces.get()
    if (all === undefined) return
    stop()
    try {
      const gone = Object.keys(localStorage).filter((key) =>
        key.startsWith(PREFIX) && !all.has(key.slice(PREFIX.length))
      )
      for (const key of gone) localStorage.removeItem(key)
    } catch {
      // A browser without storage has no comments.
    }
  })
}
