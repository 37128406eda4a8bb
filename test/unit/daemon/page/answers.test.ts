import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PAGE_KEY, pageProtocols } from "../../../../src/contract/wire/page.ts"
import { answer, type Asked, CONTENT_SECURITY_POLICY } from "../../../../src/daemon/page/answers.ts"
import { type PageFiles, readPageFiles } from "../../../../src/daemon/page/files.ts"
import { SESSION_MS, Sessions, TOKEN_MS } from "../../../../src/daemon/page/sessions.ts"
import { pageFolder } from "./served-page.ts"

const PORT = 4711
const bytesOf = (text: string) => Buffer.from(text)
const FILES: PageFiles = new Map([
  ["/", { bytes: bytesOf("the page"), type: "text/html; charset=utf-8", isHashed: false }],
  ["/assets/a.js", { bytes: bytesOf("script"), type: "text/javascript; charset=utf-8", isHashed: true }],
  ["/assets/favicon-0123.svg", { bytes: bytesOf("<svg/>"), type: "image/svg+xml", isHashed: true }]
])

/** A page at a time that the test moves, and a browser with a session. */
const made = () => {
  const clock = { nowMs: 1_000 }
  const changes = { count: 0 }
  const sessions = new Sessions(() => clock.nowMs, [], () => void changes.count++)
  const ask = (target: string, more: Partial<Asked> = {}) =>
    answer({ port: PORT, files: FILES, sessions }, {
      method: "GET",
      target,
      host: `127.0.0.1:${PORT}`,
      origin: undefined,
      cookie: undefined,
      protocols: undefined,
      ...more
    })
  const session = () => {
    const { headers } = ask(`/?token=${sessions.token()}`)
    return { cookie: headers["Set-Cookie"]!.split(";")[0]! }
  }
  return { ask, changes, clock, session, sessions }
}

describe("the link of pyro ui", () => {
  it("a token opens the page once", () => {
    const { ask, sessions } = made()
    const target = `/?token=${sessions.token()}`
    const first = ask(target)
    assert.strictEqual(first.status, 200)
    assert.match(
      first.headers["Set-Cookie"]!,
      /^pyro-4711=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/$/
    )
    // Else the browser asks for /favicon.ico, and reports that there is none.
    assert.include(String(first.body), "<link rel=\"icon\" href=\"/assets/favicon-0123.svg\"")
    assert.strictEqual(ask(target).status, 401)
    assert.strictEqual(ask("/?token=").status, 401)
    assert.strictEqual(ask("/?token=constructor").status, 401)
  })

  it("a session is of the user whose browser used the token", () => {
    const { ask, sessions } = made()
    const { headers } = ask(`/?token=${sessions.token()}`, { user: 1000 })
    const cookie = headers["Set-Cookie"]!.split(";")[0]!
    assert.strictEqual(ask("/", { cookie, user: 1000 }).status, 200)
    assert.strictEqual(ask("/", { cookie, user: 1001 }).status, 401)
    assert.strictEqual(ask("/", { cookie, user: 0 }).status, 401)
    assert.strictEqual(ask("/", { cookie }).status, 401)
  })

  it("a token expires, and a link checker does not use it up", () => {
    const { ask, clock, sessions } = made()
    const target = `/?token=${sessions.token()}`
    assert.strictEqual(ask(target, { method: "HEAD" }).status, 401)
    clock.nowMs += TOKEN_MS - 1
    assert.strictEqual(ask(target).status, 200)
    const late = `/?token=${sessions.token()}`
    clock.nowMs += TOKEN_MS
    assert.strictEqual(ask(late).status, 401)
  })

  it("a token that comes through another host name stays unused", () => {
    const { ask, sessions } = made()
    const target = `/?token=${sessions.token()}`
    assert.strictEqual(ask(target, { host: `evil.example:${PORT}` }).status, 403)
    assert.strictEqual(ask(target).status, 200)
  })

  it("the browser goes to the view of the link, and to no other host", () => {
    const { ask, sessions } = made()
    const goesTo = (path: string) => {
      const { body } = ask(`${path}?token=${sessions.token()}`)
      return /url=([^"]*)#pyro-key=[A-Za-z0-9_-]{43}"/.exec(String(body))?.[1]
    }
    assert.strictEqual(goesTo("/"), "/")
    assert.strictEqual(goesTo("/w/fix.it"), "/w/fix.it")
    assert.strictEqual(goesTo("//evil.example/"), "/evil.example/")
    assert.strictEqual(goesTo("/\\evil.example/"), "/evil.example/")
    assert.strictEqual(goesTo("/.//evil.example/"), "/evil.example/")
    assert.strictEqual(goesTo("/%22%3E%3Cscript%3E"), "/&#37;22&#37;3E&#37;3Cscript&#37;3E")
    assert.strictEqual(goesTo("/\"onload='x'"), "/&#37;22onload&#61;&#39;x&#39;")
  })
})

describe("a session of the page", () => {
  it("a session ends after a day without a use", () => {
    const { ask, clock, session } = made()
    const own = session()
    for (let day = 0; day < 3; day++) {
      clock.nowMs += SESSION_MS - 1
      assert.strictEqual(ask("/", own).status, 200)
    }
    clock.nowMs += SESSION_MS
    assert.strictEqual(ask("/", own).status, 401)
  })

  it("a cookie of another port, or of another value, is none", () => {
    const { ask, session } = made()
    const { cookie } = session()
    const value = cookie.split("=")[1]!
    assert.strictEqual(ask("/").status, 401)
    assert.include(String(ask("/").body), "pyro ui")
    for (const other of [`pyro-4712=${value}`, `pyro-4711=${value.slice(1)}`, "pyro-4711=", value, "__proto__=1"]) {
      assert.strictEqual(ask("/", { cookie: other }).status, 401, other)
    }
    // A guest behind another port of 127.0.0.1 can add cookies of this name.
    assert.strictEqual(ask("/", { cookie: `a=b; pyro-4711=tossed; ${cookie}; pyro-4711=more` }).status, 200)
  })

  it("uses are recorded at most once a minute", () => {
    const { ask, changes, clock, session } = made()
    const own = session()
    const before = changes.count
    for (let second = 0; second < 90; second++) {
      clock.nowMs += 1_000
      ask("/", own)
    }
    assert.strictEqual(changes.count - before, 1)
  })

  it("the number of sessions and tokens is bounded, and the newest stay", () => {
    const { ask, session, sessions } = made()
    const first = session()
    const all = Array.from({ length: 40 }, session)
    assert.strictEqual(ask("/", first).status, 401)
    assert.strictEqual(ask("/", all.at(-1)).status, 200)
    assert.isAtMost(sessions.kept().length, 32)
  })
})

describe("answers to requests of the page", () => {
  it("each answer forbids what the page does not need", () => {
    const { ask, session } = made()
    const own = session()
    for (const one of [ask("/", own), ask("/"), ask("/assets/a.js", own), ask("/assets/b.js", own)]) {
      assert.strictEqual(one.headers["Content-Security-Policy"], CONTENT_SECURITY_POLICY)
      assert.strictEqual(one.headers["X-Content-Type-Options"], "nosniff")
      assert.strictEqual(one.headers["Referrer-Policy"], "no-referrer")
      assert.strictEqual(one.headers["Cross-Origin-Opener-Policy"], "same-origin")
      assert.strictEqual(one.headers["Cross-Origin-Resource-Policy"], "same-origin")
    }
    assert.notInclude(CONTENT_SECURITY_POLICY, "unsafe")
  })

  it("views are the page, files are files, and other paths are nothing", () => {
    const { ask, session } = made()
    const own = session()
    const found = (target: string) => {
      const { body, status } = ask(target, own)
      return status === 200 ? Buffer.from(body).toString() : status
    }
    for (const view of ["/", "/w/fix", "/w/app.js", "/w/%2e%2e", "/environments", "/w/a/review?x=1"]) {
      assert.strictEqual(found(view), "the page", view)
    }
    assert.strictEqual(found("/assets/a.js"), "script")
    for (
      const none of [
        "/assets/",
        "/assets/b.js",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/../../passwd.txt",
        "/assets/%2e%2e/pyro.js",
        "/assets/a.js%00",
        "/pyro.js",
        "http://127.0.0.1/",
        "*",
        ""
      ]
    ) assert.strictEqual(found(none), 404, none)
    assert.strictEqual(found("/rpc"), 426)
    assert.deepStrictEqual(found("/session"), "{\"ok\":true}\n")
    assert.strictEqual(ask("/session").status, 401)
    assert.strictEqual(ask("/", { ...own, method: "POST" }).status, 405)
  })

  it.effect("no symbolic link and no file of another type is served", () =>
    Effect.gen(function*() {
      const folder = yield* pageFolder
      const files = readPageFiles(`${folder}/web`)!
      assert.deepStrictEqual([...files.keys()].sort(), ["/", "/assets/page-0123.js", "/favicon.svg"])
      assert.isUndefined(readPageFiles(`${folder}/none`))
    }))
})

describe("the key of the page", () => {
  const key = "k".repeat(43)
  const windowAt = (hash: string) => {
    const stored = new Map<string, string>()
    const shown = { url: "" }
    return {
      stored,
      shown,
      location: { hash, pathname: "/w/fix", search: "?a" },
      history: { replaceState: (_: unknown, __: string, url: string) => void (shown.url = url) },
      localStorage: {
        getItem: (name: string) => stored.get(name) ?? null,
        setItem: (name: string, value: string) => void stored.set(name, value)
      }
    }
  }

  it("a key moves from the address to the storage of the origin", () => {
    const page = windowAt(`#${PAGE_KEY}=${key}`)
    assert.deepStrictEqual(pageProtocols(page), ["pyro", key])
    assert.strictEqual(page.shown.url, "/w/fix?a")
    assert.deepStrictEqual(pageProtocols({ ...page, location: { ...page.location, hash: "" } }), ["pyro", key])
  })

  it("a page without a key, or with another text, has no connection", () => {
    assert.isUndefined(pageProtocols(windowAt("")))
    const odd = windowAt(`#${PAGE_KEY}=a, b`)
    assert.isUndefined(pageProtocols(odd))
    assert.strictEqual(odd.stored.size, 0)
  })
})
