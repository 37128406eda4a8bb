import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Dialler, type DiallerService } from "../../../../../src/network/Dialler.ts"
import { SecretRegistry } from "../../../../../src/redaction/secrets.ts"
import type { HeaderSecretChange } from "../../../../../src/workspace/residents/header-secret/bindings.ts"
import {
  type HeaderSecrets,
  openHeaderSecrets
} from "../../../../../src/workspace/residents/header-secret/header-secrets.ts"
import { openSecrets, type WorkspaceSecrets } from "../../../../../src/workspace/residents/secret/workspace-secrets.ts"

const VALUE = "correct-horse"
const secretsOf = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Redacted.make(value)]))

const dialler = {
  makeAuthority: (hosts: ReadonlyArray<string>) =>
    Effect.succeed({ certificate: `certificate of ${hosts.join()}`, key: "key" })
} as unknown as DiallerService

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "header-secrets-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

interface Opened {
  readonly folder: string
  readonly secrets: WorkspaceSecrets
  readonly hosts: HeaderSecrets
}

const opened = (folder: string) =>
  Effect.gen(function*() {
    const secrets = yield* openSecrets(folder)
    const hosts = yield* Effect.provideService(openHeaderSecrets(folder, secrets), Dialler, dialler)
    return { folder, secrets, hosts }
  })

/** As `workspace update` does. */
const update = ({ hosts, secrets }: Opened, change: HeaderSecretChange) =>
  Effect.gen(function*() {
    yield* hosts.check(change)
    yield* secrets.change(change)
    return yield* hosts.change(change)
  })

const setUp = Effect.gen(function*() {
  const one = yield* opened(yield* temporaryFolder)
  yield* update(one, { secrets: secretsOf({ TOKEN: VALUE }), secretHttp: ["TOKEN@a.test", "TOKEN@b.test:8443:x-key"] })
  return one
})

const at = ({ hosts }: Opened, host: string, port = 443) => hosts.interceptionOf(host, port)
const placeholderOf = ({ hosts }: Opened) => hosts.placeholders()[0]!.placeholder

describe("hosts of a workspace's secrets", () => {
  it.live("each host gets the value, and another host or port gets none", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      assert.deepStrictEqual(one.hosts.texts(), ["TOKEN@a.test", "TOKEN@b.test:8443:x-key"])
      const found = yield* at(one, "a.test")
      assert.deepStrictEqual(found?.secrets, [
        { name: "TOKEN", placeholder: placeholderOf(one), header: undefined, value: VALUE }
      ])
      assert.strictEqual((yield* at(one, "b.test", 8443))?.secrets[0]?.header, "x-key")
      assert.isUndefined(yield* at(one, "b.test"))
      assert.strictEqual(statSync(join(one.folder, "secret-http.json")).mode & 0o777, 0o600)
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a removed host denies the placeholder until a reset, also in the next process", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      const placeholder = placeholderOf(one)
      const changed = yield* update(one, { clearSecretHttp: ["TOKEN@a.test"] })
      assert.deepStrictEqual(changed.map(({ host }) => host), ["a.test"])
      const next = yield* opened(one.folder)
      for (const process of [one, next]) {
        assert.deepStrictEqual(process.hosts.texts(), ["TOKEN@b.test:8443:x-key"])
        const found = yield* at(process, "a.test")
        assert.deepStrictEqual([found?.secrets, found?.foreign], [[], [{ name: "TOKEN", placeholder }]])
        assert.lengthOf((yield* at(process, "b.test", 8443))!.secrets, 1)
      }
      yield* next.hosts.forgetFormer
      assert.isUndefined(yield* at(next, "a.test"))
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a removed secret has no host, and its placeholder is denied everywhere", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      const placeholder = placeholderOf(one)
      yield* update(one, { clearSecrets: ["TOKEN"] })
      assert.deepStrictEqual(one.hosts.texts(), [])
      assert.deepStrictEqual((yield* at(one, "b.test", 8443))?.foreign, [{ name: "TOKEN", placeholder }])
      assert.strictEqual(placeholderOf(one), placeholder)
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a host without the value of its secret denies the placeholder: the daemon died between two files", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      yield* one.secrets.change({ clearSecrets: ["TOKEN"] })
      const found = yield* at(one, "a.test")
      assert.deepStrictEqual([found?.secrets.length, found?.foreign.length], [0, 1])
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a host that is added again has the placeholder that running programs know", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      const placeholder = placeholderOf(one)
      yield* update(one, { clearSecrets: ["TOKEN"] })
      yield* update(one, { secrets: secretsOf({ TOKEN: "new-value" }), secretHttp: ["TOKEN@a.test"] })
      assert.deepStrictEqual((yield* at(one, "a.test"))?.secrets, [
        { name: "TOKEN", placeholder, header: undefined, value: "new-value" }
      ])
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a new value changes the connections to all hosts of the secret", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      const changed = yield* update(one, { secrets: secretsOf({ TOKEN: "new-value", OTHER: "other-value" }) })
      assert.deepStrictEqual(changed.map(({ host }) => host), ["a.test", "b.test"])
      assert.strictEqual((yield* at(one, "a.test"))?.secrets[0]?.value, "new-value")
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a change that would break a host is refused, and changes nothing", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      const refused: ReadonlyArray<readonly [HeaderSecretChange, RegExp]> = [
        [{ secrets: secretsOf({ TOKEN: "two lines\nof text" }) }, /does not fit into an HTTP header/],
        [{ secretHttp: ["OTHER@a.test"] }, /there is no secret OTHER/],
        [{ clearSecrets: ["TOKEN"], secretHttp: ["TOKEN@a.test"] }, /there is no secret TOKEN/],
        [{ clearSecretHttp: ["TOKEN@b.test"] }, /there is no TOKEN@b.test; there are TOKEN@a.test, TOKEN@b.test:8443/]
      ]
      for (const [change, detail] of refused) {
        assert.match((yield* Effect.flip(update(one, change))).message, detail)
      }
      assert.strictEqual((yield* at(one, "a.test"))?.secrets[0]?.value, VALUE)
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a reset to a snapshot brings the hosts back with the placeholder and the authority that the guest knows", () =>
    Effect.gen(function*() {
      const taken = yield* setUp
      const placeholder = placeholderOf(taken)
      const before = yield* at(taken, "a.test")
      const one = yield* opened(yield* temporaryFolder)
      yield* update(one, { secrets: secretsOf({ TOKEN: VALUE }), secretHttp: ["TOKEN@b.test:8443"] })
      assert.notStrictEqual(placeholderOf(one), placeholder)
      yield* one.hosts.forgetFormer
      yield* one.hosts.inherit(taken.folder)
      assert.deepStrictEqual(one.hosts.texts(), ["TOKEN@a.test", "TOKEN@b.test:8443"])
      assert.strictEqual(placeholderOf(one), placeholder)
      assert.deepStrictEqual((yield* at(one, "a.test"))?.authority, before?.authority)
    }).pipe(Effect.provide(SecretRegistry.layer)))
})
