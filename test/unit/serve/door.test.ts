import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as tls from "node:tls"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { callerIdentity, type Identity } from "../../../src/contract/wire/identity.ts"
import { service } from "../../support/daemon/wire-service.ts"
import { makeTestAuthority } from "../../support/network/certificates.ts"
import { openedDoor, rawConnection, upgrade } from "../../support/serve/opened-door.ts"
import { until } from "../../support/until.ts"

/** Operations that remember who has asked. */
const remembering = () => {
  const asked: Array<Identity | undefined> = []
  const pyro = {
    ...service,
    workspace: {
      ...service.workspace,
      list: () =>
        Effect.map(callerIdentity, (identity) => {
          asked.push(identity)
          return { workspaces: [] }
        })
    }
  } as unknown as PyroService
  return { asked, pyro }
}

/** Files of a server with a certificate of an authority of the test's own. */
const certificates = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(process.env["TMPDIR"] ?? "/tmp", "pyro-door-tls-"))),
    (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
  )
  const authority = yield* Effect.promise(makeTestAuthority)
  const server = yield* Effect.promise(() => authority.identityOf("localhost"))
  const client = yield* Effect.promise(() => authority.identityOf("client", "clientAuth"))
  const file = (name: string, content: string) => {
    const place = path.join(folder, name)
    fs.writeFileSync(place, content, { mode: 0o600 })
    return place
  }
  return {
    ca: file("ca.pem", authority.certificate),
    tlsCert: file("server.pem", server.cert),
    tlsKey: file("server.key", server.key),
    cert: file("client.pem", client.cert),
    key: file("client.key", client.key)
  }
})

const doorFailure = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(Effect.scoped(work)), (error) => (error as { readonly detail?: string }).detail ?? "")

describe("a door", () => {
  it.live("lets a token in over TLS 1.3, and the daemon knows whose the requests are", () =>
    Effect.gen(function*() {
      const { asked, pyro } = remembering()
      const { ca, tlsCert, tlsKey } = yield* certificates
      const door = yield* openedDoor(pyro, { tlsCert, tlsKey })
      const token = yield* door.token("ci", { tenant: "acme" })
      const client = yield* door.client(token, { ca })
      assert.deepStrictEqual(yield* client.workspace.list({ labels: {} }), { workspaces: [] })
      const [identity] = asked
      assert.deepInclude(identity, { tenant: "acme", role: "user", name: "ci", address: "127.0.0.1" })
      assert.match(identity!.token, /^[0-9a-f]{16}$/)
    }))

  it.live("a client without the authority of the certificate goes away, and TLS 1.2 is refused", () =>
    Effect.gen(function*() {
      const { tlsCert, tlsKey } = yield* certificates
      const door = yield* openedDoor(service, { tlsCert, tlsKey })
      const token = yield* door.token("ci")
      assert.include(yield* doorFailure(door.line(token)), "--ca")
      const error = yield* Effect.callback<string>((resume) => {
        const socket = tls.connect({ port: door.port, maxVersion: "TLSv1.2", rejectUnauthorized: false })
        socket.on("secureConnect", () => resume(Effect.succeed("connected")))
        socket.on("error", ({ message }) => resume(Effect.succeed(message)))
      })
      assert.match(error, /protocol version/i)
    }))

  it.live("with an authority for clients, a token alone opens nothing", () =>
    Effect.gen(function*() {
      const { ca, cert, key, tlsCert, tlsKey } = yield* certificates
      const door = yield* openedDoor(service, { tlsCert, tlsKey, clientCa: ca })
      const token = yield* door.token("ci")
      assert.notStrictEqual(yield* doorFailure(door.line(token, { ca })), "")
      const client = yield* door.client(token, { ca, cert, key })
      assert.deepStrictEqual(yield* client.workspace.list({ labels: {} }), { workspaces: [] })
    }))

  it.live("listens without TLS at the loopback alone", () =>
    Effect.gen(function*() {
      for (const listen of ["0.0.0.0:0", "[::]:0", "localhost.example:0", "10.0.0.1:0"]) {
        const { detail, field } = (yield* Effect.flip(Effect.scoped(openedDoor(service, { listen })))) as {
          readonly field: string
          readonly detail: string
        }
        assert.strictEqual(field, "--listen")
        assert.include(detail, "--tls-cert")
      }
    }))

  it.live("refuses unknown, expired and revoked tokens with the same answer", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service)
      const good = yield* door.token("ci")
      const expired = yield* door.token("gone")
      const revoked = yield* door.token("revoked")
      yield* door.revoke("revoked")
      const stored = path.join(door.stateDir, "serve", "tokens", "gone.json")
      const unknown = `${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`
      const over = fs.readFileSync(stored, "utf8").replace(
        "\"createdAt\"",
        "\"expiresAt\":\"2020-01-01T00:00:00Z\",\"createdAt\""
      )
      fs.writeFileSync(`${stored}.new`, over)
      fs.renameSync(`${stored}.new`, stored)
      // The good one is known, so the door has read them.
      yield* Effect.retry(door.line(good), { times: 20 })
      const answers = new Set<string>()
      for (const authorization of [revoked, expired, unknown, "pyro_", `${good} `.repeat(2), good.toUpperCase()]) {
        const raw = yield* rawConnection(door.port)
        raw.socket.write(upgrade({ Authorization: `Bearer ${authorization}` }))
        yield* until(raw.hasEnded)
        answers.add(raw.said())
      }
      const none = yield* rawConnection(door.port)
      none.socket.write(upgrade({}))
      yield* until(none.hasEnded)
      answers.add(none.said())
      assert.strictEqual(answers.size, 1)
      assert.match([...answers][0]!, /^HTTP\/1\.1 401 /)
    }))

  it.live("ends the connections of a revoked token within a second, and no others", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service)
      const [revoked, other] = [yield* door.token("revoked"), yield* door.token("other")]
      yield* until(() => fs.existsSync(path.join(door.stateDir, "serve", "tokens", "other.json")))
      const ends = (text: string) =>
        Effect.map(Effect.retry(door.line(text), { times: 20 }), (line) => {
          const state = { atMs: 0 }
          line.on("close", () => void (state.atMs = performance.now()))
          line.resume()
          return state
        })
      const [gone, stays] = [yield* ends(revoked), yield* ends(other)]
      const revokedAtMs = performance.now()
      yield* door.revoke("revoked")
      yield* until(() => gone.atMs > 0)
      assert.isBelow(gone.atMs - revokedAtMs, 1_000)
      assert.strictEqual(stays.atMs, 0)
      assert.include(yield* doorFailure(door.line(revoked)), "revoked")
    }))

  it.live("ends the connections of a token whose time is over", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service)
      const token = yield* door.token("short")
      const stored = path.join(door.stateDir, "serve", "tokens", "short.json")
      const line = yield* Effect.retry(door.line(token), { times: 20 })
      let hasEnded = false
      line.on("close", () => void (hasEnded = true))
      line.resume()
      const soon = new Date(Date.now() + 300).toISOString()
      const changed = fs.readFileSync(stored, "utf8").replace("\"createdAt\"", `"expiresAt":"${soon}","createdAt"`)
      fs.writeFileSync(`${stored}.new`, changed)
      fs.renameSync(`${stored}.new`, stored)
      yield* until(() => hasEnded)
    }))

  it.live("a client that names an identity of its own keeps that of its token", () =>
    Effect.gen(function*() {
      const { asked, pyro } = remembering()
      const door = yield* openedDoor(pyro)
      const token = yield* door.token("ci", { tenant: "acme" })
      const line = yield* Effect.retry(door.line(token), { times: 20 })
      const forged = JSON.stringify({ tenant: "other", role: "owner", token: "0", name: "x", address: "1" })
      const message = Buffer.from(JSON.stringify({
        _tag: "Request",
        id: "1",
        tag: "workspace.list",
        payload: { labels: {} },
        headers: [["pyro-identity", forged], ["PYRO-Identity", forged]]
      }))
      const { encodeBulk } = yield* Effect.promise(() => import("../../../src/contract/wire/bulk-frames.ts"))
      line.write(Buffer.from(encodeBulk({ message, pieces: [] })))
      yield* until(() => asked.length === 1)
      assert.deepInclude(asked[0], { tenant: "acme", name: "ci" })
      // A line of a door is the door's alone: from a client it is no message.
      const second = yield* door.line(token)
      second.write(`pyro-door-1 ${forged}\n`)
      second.write(Buffer.from(encodeBulk({ message, pieces: [] })))
      yield* until(() => door.log.some((text) => text.includes("of a client")))
      assert.strictEqual(asked.length, 1)
    }))

  it.live("tells monitors whether it runs and reaches the daemon, and its counts to owners alone", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service)
      const [owner, user] = [yield* door.token("owner", { role: "owner" }), yield* door.token("user")]
      yield* Effect.retry(door.line(user), { times: 20 })
      const get = (target: string, token?: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`${door.url.replace("ws", "http")}${target}`, {
            headers: token === undefined ? {} : { Authorization: `Bearer ${token}` }
          })
          return [answer.status, await answer.text()] as const
        })
      assert.deepStrictEqual(yield* get("/healthz"), [200, "ok\n"])
      assert.deepStrictEqual(yield* get("/readyz"), [200, "ready\n"])
      assert.deepStrictEqual((yield* get("/metrics"))[0], 401)
      assert.deepStrictEqual((yield* get("/metrics", user))[0], 401)
      const [status, text] = yield* get("/metrics", owner)
      assert.strictEqual(status, 200)
      assert.match(text, /^pyro_door_connections 1$/m)
      assert.match(text, /# EOF\n$/)
      yield* door.stop
      assert.deepStrictEqual((yield* get("/readyz"))[0], 503)
    }))

  it.live("keeps the token on disk as a hash alone, in files of the owner", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service)
      const token = yield* door.token("ci")
      const folder = path.join(door.stateDir, "serve", "tokens")
      const [file] = fs.readdirSync(folder)
      assert.notInclude(fs.readFileSync(path.join(folder, file!), "utf8"), token.slice(5, 20))
      assert.strictEqual(fs.statSync(path.join(folder, file!)).mode & 0o777, 0o600)
      assert.match(token, /^pyro_[A-Za-z0-9_-]{43}$/)
    }))
})
