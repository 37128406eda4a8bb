import type { IncomingMessage } from "node:http"
import type { RegistryKind } from "../../model/cache-access.ts"
import { Download } from "./download.ts"
import type { Entry, EntryHead } from "./entry.ts"
import { type Expected, expectedOf } from "./expected.ts"
import { type Content, isKeepable } from "./keeping.ts"
import type { Store } from "./store.ts"
import { ask, type Upstream } from "./upstream.ts"

/** Result of a fetch. */
export type Fetched =
  /** The answer is on its way to the disk. */
  | { readonly _tag: "Download"; readonly download: Download; readonly response: IncomingMessage }
  /** The registry still has the entry. */
  | { readonly _tag: "Validated" }
  /** The answer cannot be kept. Its body belongs to the caller. */
  | { readonly _tag: "Unkept"; readonly response: IncomingMessage }

/** A fetch that several callers may share. */
interface SharedFetch {
  readonly fetched: Fetched
  readonly isMine: boolean
}

export interface FetchRequest {
  readonly key: string
  readonly path: string
  readonly content: Content
  readonly kind: RegistryKind
  readonly upstream: Upstream
  /** The kept entry, which the registry is asked about. @default a new answer */
  readonly known?: Entry | undefined
  /** Time for the head of the answer, in ms. @default no limit of its own */
  readonly headMs?: number | undefined
}

/** Longest wait for the answer to another guest's request, in ms: that guest may keep its connections to the registry busy. */
const JOIN_MS = 2_000

/** Time without questions about kept entries to a registry that could not be reached, in ms. */
const UNREACHABLE_MS = 30_000

/** Sent in place of the client's name: nothing that a guest chose decides about an answer that others get. */
const USER_AGENT = "pyro-package-cache"

const headOf = (key: string, { headers }: IncomingMessage): EntryHead => ({
  key,
  contentType: headers["content-type"],
  contentEncoding: headers["content-encoding"] === "identity" ? undefined : headers["content-encoding"],
  cacheControl: headers["cache-control"],
  etag: headers.etag,
  lastModified: headers["last-modified"]
})

/** Value of a promise; undefined if it fails or takes longer. */
const inTime = <A>(promise: Promise<A>, ms: number) =>
  new Promise<A | undefined>((resolve) => {
    AbortSignal.timeout(ms).addEventListener("abort", () => resolve(undefined), { once: true })
    promise.then(resolve, () => resolve(undefined))
  })

const conditionsOf = (known: Entry | undefined) =>
  known === undefined ? {} : {
    ...(known.head.etag === undefined ? {} : { "if-none-match": known.head.etag }),
    ...(known.head.lastModified === undefined ? {} : { "if-modified-since": known.head.lastModified })
  }

/** Answers of registries, kept on the disk. Concurrent requests share one fetch. */
export class PackageCache {
  readonly store: Store
  readonly nowMs: () => number
  readonly #fetching = new Map<string, Promise<Fetched>>()
  /** Registries that a guest could not reach, and until when. */
  readonly #unreachable = new Map<string, number>()

  constructor(store: Store, nowMs: () => number) {
    this.store = store
    this.nowMs = nowMs
  }

  /**
   * Asks the registry, or joins a fetch of the same key. `isMine` is false for a caller that joined: an unkept answer belongs to the
   * first caller.
   */
  fetch(request: FetchRequest): Promise<SharedFetch> {
    return this.#share(request.key, () => this.#start(request), request.known !== undefined)
  }

  /**
   * The same for content whose name has its hash: `answer` asks for it, and only a body of this hash is kept. The caller has found out that
   * the guest may read the content, if `isFetching`.
   */
  fetchNamed(key: string, expected: Expected, answer: () => Promise<IncomingMessage>): Promise<SharedFetch> {
    return this.#share(key, async () => {
      const response = await answer()
      return this.#keepAs(key, response, response.statusCode === 200, expected)
    }, false)
  }

  isFetching(key: string): boolean {
    return this.#fetching.has(key)
  }

  async #share(key: string, start: () => Promise<Fetched>, isKnown: boolean): Promise<SharedFetch> {
    const running = this.#fetching.get(key)
    if (running !== undefined) {
      // The rules of the other guest may deny the registry, and those of this one allow it.
      const fetched = await inTime(running, JOIN_MS)
      const isAnswer = fetched?._tag === "Download" ? fetched.download.isOpen : fetched?._tag === "Validated" && isKnown
      if (fetched !== undefined && isAnswer) {
        return { fetched, isMine: false }
      }
    }
    const started = start()
    this.#fetching.set(key, started)
    const forget = () => this.#fetching.get(key) === started && this.#fetching.delete(key)
    started.then((fetched) => {
      if (fetched._tag === "Download") fetched.download.over.finally(forget)
      else forget()
    }, forget)
    return { fetched: await started, isMine: true }
  }

  /** Whether the guest could not reach the registry a moment ago. */
  isUnreachable(upstream: Upstream): boolean {
    return (this.#unreachable.get(placeOf(upstream)) ?? 0) > this.nowMs()
  }

  async #start({ content, headMs, key, kind, known, path, upstream }: FetchRequest): Promise<Fetched> {
    const controller = new AbortController()
    const deadline = headMs === undefined ? undefined : AbortSignal.timeout(headMs)
    const abort = () => controller.abort(new Error("the registry does not answer in time"))
    deadline?.addEventListener("abort", abort)
    const response = await ask(upstream, {
      author: "cache",
      method: "GET",
      path,
      headers: {
        accept: content.accept,
        "accept-encoding": content.keeps === "index" ? "gzip" : "identity",
        "user-agent": USER_AGENT,
        ...conditionsOf(known)
      },
      signal: controller.signal
    }).catch((error: unknown) => {
      this.#setUnreachable(placeOf(upstream))
      throw error
    }).finally(() => deadline?.removeEventListener("abort", abort))
    this.#unreachable.delete(placeOf(upstream))
    if (response.statusCode === 304 && known !== undefined) {
      response.resume()
      await known.validated(this.nowMs())
      return { _tag: "Validated" }
    }
    return this.#keep({ key, kind, path, upstream }, response)
  }

  #setUnreachable(place: string) {
    const nowMs = this.nowMs()
    for (const [other, untilMs] of this.#unreachable) if (untilMs <= nowMs) this.#unreachable.delete(other)
    this.#unreachable.set(place, nowMs + UNREACHABLE_MS)
  }

  /** Keeps an answer only if it has the length and the hash of the registry. */
  async #keep(
    { key, kind, path, upstream }: Pick<FetchRequest, "key" | "kind" | "path" | "upstream">,
    response: IncomingMessage
  ): Promise<Fetched> {
    const isGood = isKeepable(response.statusCode!, response.headers)
    const expected = isGood ? await expectedOf(this.store, kind, path, upstream.dial.port) : undefined
    return this.#keepAs(key, response, isGood, expected)
  }

  async #keepAs(
    key: string,
    response: IncomingMessage,
    isGood: boolean,
    expected: Expected | undefined
  ): Promise<Fetched> {
    const length = Number(response.headers["content-length"] ?? 0)
    const maxBytes = this.store.largestBytes
    const draft = isGood && length <= maxBytes
      ? await this.store.create(key, length, expected).catch(() => undefined)
      : undefined
    if (draft === undefined) return { _tag: "Unkept", response }
    const download = new Download({ response, head: headOf(key, response), draft, maxBytes, nowMs: this.nowMs })
    return { _tag: "Download", download, response }
  }
}

/** A registry as one guest reaches it: another guest's rules may deny it. */
const placeOf = ({ dial: { group, name, port } }: Upstream) => `${group} ${name}:${port}`
