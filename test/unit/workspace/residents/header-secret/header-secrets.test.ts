import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { typedMessage, withWorkspace } from "../../../../../src/contract/rows/next-steps.ts"
import { Dialler, type DiallerService } from "../../../../../src/lib/network/Dialler.ts"
import { SecretRegistry } from "../../../../../src/lib/redaction/secrets.ts"
import type { HeaderSecretChange } from "../../../../../src/workspace/residents/header-secret/bindings.ts"
import {
  type HeaderSecrets,
  openHeaderSecrets,
  presentHeaderSecrets
} from "../../../../../src/workspace/residents/header-secret/header-secrets.ts"
import { presentSecrets } from "../../../../../src/workspace/residents/secret/secret-file.ts"
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

  it.live("a reset to a snapshot adds no host, and takes the placeholder and the authority that the guest knows", () =>
    Effect.gen(function*() {
      const taken = yield* setUp
      const placeholder = placeholderOf(taken)
      const before = yield* at(taken, "a.test")
      const one = yield* opened(yield* temporaryFolder)
      yield* update(one, { secrets: secretsOf({ TOKEN: VALUE }), secretHttp: ["TOKEN@b.test:8443"] })
      assert.notStrictEqual(placeholderOf(one), placeholder)
      yield* one.hosts.forgetFormer
      yield* one.hosts.inherit(taken.folder)
      assert.deepStrictEqual(one.hosts.texts(), ["TOKEN@b.test:8443"])
      assert.strictEqual(placeholderOf(one), placeholder)
      const removed = yield* at(one, "a.test")
      assert.deepStrictEqual(removed?.authority, before?.authority)
      assert.deepStrictEqual([removed?.secrets, removed?.foreign.length], [[], 1])
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("a copy of a snapshot has the present secrets and hosts, and the snapshot's values are former ones", () =>
    Effect.gen(function*() {
      const taken = yield* setUp
      const one = yield* opened(yield* temporaryFolder)
      yield* update(one, { secrets: secretsOf({ OTHER: "other-value" }), secretHttp: ["OTHER@b.test"] })
      yield* presentSecrets(one.folder, taken.folder)
      yield* presentHeaderSecrets(one.folder, taken.folder)
      const fork = yield* opened(taken.folder)
      assert.deepStrictEqual([fork.secrets.names, fork.hosts.texts()], [["OTHER"], ["OTHER@b.test"]])
      assert.strictEqual(fork.secrets.redact(VALUE), "[secret:TOKEN]")
      assert.deepStrictEqual((yield* at(fork, "a.test"))?.secrets, [])
    }).pipe(Effect.provide(SecretRegistry.layer)))
})

describe("a secret of a host", () => {
  /** Both ways by which a command gets a secret. */
  const givenBy = ({ secrets }: Pick<Opened, "secrets">) =>
    Effect.gen(function*() {
      const { T } = yield* secrets.variables(["TOKEN=T"])
      const [mount] = yield* secrets.mounts(["TOKEN"])
      assert.strictEqual(mount!.value, T)
      return T
    })

  it.live("is a placeholder for commands, also in the next process and in a file of an older version", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      assert.strictEqual(yield* givenBy(one), placeholderOf(one))
      assert.deepStrictEqual(one.secrets.commandNames, [])
      const file = join(one.folder, "secrets.json")
      assert.strictEqual(yield* givenBy(yield* opened(one.folder)), placeholderOf(one))
      writeFileSync(file, readFileSync(file, "utf8").replace(/,?\s*"commands":\s*false/, ""))
      assert.notInclude(readFileSync(file, "utf8"), "commands")
      assert.strictEqual(yield* givenBy(yield* opened(one.folder)), placeholderOf(one))
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("is the value for commands if a request says so, until a request names a host without saying so", () =>
    Effect.gen(function*() {
      const one = yield* setUp
      yield* update(one, { secretCommands: ["TOKEN"] })
      assert.strictEqual(yield* givenBy(one), VALUE)
      assert.deepStrictEqual((yield* opened(one.folder)).secrets.commandNames, ["TOKEN"])
      yield* update(one, { secrets: secretsOf({ TOKEN: "new-value" }) })
      assert.strictEqual(yield* givenBy(one), "new-value")
      yield* update(one, { secretHttp: ["TOKEN@c.test"] })
      assert.strictEqual(yield* givenBy(one), placeholderOf(one))
    }).pipe(Effect.provide(SecretRegistry.layer)))

  const NARROWED: ReadonlyArray<readonly [string, ReadonlyArray<HeaderSecretChange>]> = [
    ["a new value", [{ secrets: secretsOf({ TOKEN: "new-value" }) }]],
    ["the end of its hosts", [{ clearSecretHttp: ["TOKEN@a.test", "TOKEN@b.test:8443"] }]],
    ["a new value after the end of its hosts", [
      { clearSecretHttp: ["TOKEN@a.test", "TOKEN@b.test:8443"] },
      { secrets: secretsOf({ TOKEN: "new-value" }) }
    ]]
  ]
  for (const [what, changes] of NARROWED) {
    it.live(`is a placeholder after ${what}, and nothing after a reset without a host`, () =>
      Effect.gen(function*() {
        const one = yield* setUp
        const placeholder = placeholderOf(one)
        for (const change of changes) yield* update(one, change)
        assert.strictEqual(yield* givenBy(one), placeholder)
        yield* one.hosts.forgetFormer
        if (one.hosts.texts().length > 0) return
        const refused = yield* Effect.flip(one.secrets.variables(["TOKEN"]))
        assert.include(typedMessage(withWorkspace(refused, "fix")), "pyro update fix --secret-commands TOKEN")
        assert.strictEqual(refused.field, "secret_env")
      }).pipe(Effect.provide(SecretRegistry.layer)))
  }

  it.live("was one of commands before its host, and is a placeholder from then on", () =>
    Effect.gen(function*() {
      const one = yield* opened(yield* temporaryFolder)
      yield* update(one, { secrets: secretsOf({ TOKEN: VALUE }) })
      assert.strictEqual(yield* givenBy(one), VALUE)
      yield* update(one, { secretHttp: ["TOKEN@a.test"] })
      assert.strictEqual(yield* givenBy(one), placeholderOf(one))
      // Removed and given again without a host, it is another secret.
      yield* update(one, {
        clearSecrets: ["TOKEN"],
        secrets: secretsOf({ TOKEN: VALUE }),
        clearSecretHttp: ["TOKEN@a.test"]
      })
      assert.strictEqual(yield* givenBy(one), VALUE)
    }).pipe(Effect.provide(SecretRegistry.layer)))

  it.live("cannot be given to commands by a name that no secret has", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(update(yield* setUp, { secretCommands: ["OTHER"] }))
      assert.include(refused.message, "there is no secret OTHER")
    }).pipe(Effect.provide(SecretRegistry.layer)))
})
