import { afterAll, afterEach, assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { typedTold } from "../../../../../src/contract/rows/next-steps.ts"
import { judgeName } from "../../../../../src/lib/network/model/judge.ts"
import { SecretRegistry } from "../../../../../src/lib/redaction/secrets.ts"
import { denialNews, failureNews } from "../../../../../src/workspace/residents/network/denials.ts"
import { type NewRecord, openConnectionLog } from "../../../../../src/workspace/residents/network/log.ts"
import { UNTRUSTED } from "../../../../../src/workspace/residents/network/open.ts"
import { grantedBy } from "../../../../../src/workspace/residents/policy/policy.ts"
import { workspaceSteps } from "../../../../../src/workspace/residents/policy/steps.ts"
import { temporaryFolder } from "../../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-connection-log-")
afterEach(() => {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name))
})
afterAll(remove)

const entry = (host: string, more: Partial<NewRecord> = {}): NewRecord => ({
  at: "2026-01-01T00:00:00.000Z",
  kind: "connection",
  outcome: "allowed",
  host,
  port: 443,
  bytesOut: 1,
  bytesIn: 2,
  durationMs: 3,
  ...more
})
const openPolicy = { networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [] } as const
const denial = (host: string) =>
  entry(host, {
    outcome: "denied",
    reason: "no rule",
    remedy: { field: "allow_hosts", rule: `${host}:443` },
    bytesIn: 0,
    bytesOut: 0
  })

const withLog = <A>(use: (log: Effect.Success<ReturnType<typeof openConnectionLog>>) => Effect.Effect<A>) =>
  Effect.scoped(Effect.flatMap(openConnectionLog(folder), use)).pipe(Effect.provide(SecretRegistry.layer))

const hostsOf = ({ entries }: { readonly entries: ReadonlyArray<{ readonly host: string }> }) =>
  entries.map(({ host }) => host)

describe("the log of a workspace's connections", () => {
  it.effect("the log keeps its entries, numbers and totals when it is opened again", () =>
    Effect.gen(function*() {
      yield* withLog((log) => Effect.andThen(log.append(entry("a.test")), log.append(denial("b.test"))))
      yield* withLog((log) =>
        Effect.gen(function*() {
          assert.strictEqual(log.position(), 2)
          assert.deepStrictEqual(log.totals(), { allowed: 1, denied: 1, failed: 0, bytesOut: 1, bytesIn: 2 })
          yield* log.append(entry("c.test", { outcome: "failed" }))
          assert.deepStrictEqual(hostsOf(log.page({ denied: false, limit: 10 })), ["a.test", "b.test", "c.test"])
          assert.deepStrictEqual(hostsOf(log.page({ denied: true, limit: 10 })), ["b.test"])
          assert.deepStrictEqual(hostsOf(log.page({ cursor: 1, denied: false, limit: 1 })), ["b.test"])
        })
      )
    }))

  it.effect("a reset begins the totals anew, and keeps the entries", () =>
    Effect.gen(function*() {
      yield* withLog((log) => Effect.andThen(log.append(denial("a.test")), log.reset))
      yield* withLog((log) =>
        Effect.sync(() => {
          assert.strictEqual(log.totals().denied, 0)
          assert.strictEqual(log.position(), 1)
          assert.deepStrictEqual(hostsOf(log.page({ denied: false, limit: 10 })), ["a.test"])
        })
      )
    }))

  it.effect("a line that a crash has cut costs that line only", () =>
    Effect.gen(function*() {
      yield* withLog((log) => log.append(entry("a.test")))
      fs.appendFileSync(path.join(folder, "network.jsonl"), `{"number":2,"entry":{"at`)
      yield* withLog((log) => log.append(entry("b.test")))
      yield* withLog((log) =>
        Effect.sync(() => assert.deepStrictEqual(hostsOf(log.page({ denied: false, limit: 10 })), ["a.test", "b.test"]))
      )
    }))

  it.effect(
    "a guest that makes endless connections fills 8 MiB, and its oldest entries are dropped",
    () =>
      withLog((log) =>
        Effect.gen(function*() {
          const long = entry(`${"a".repeat(240)}.test`)
          for (let count = 0; count < 25_000; count++) yield* log.append(long)
          yield* log.append(entry("last.test"))
          const bytes = fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0)
          assert.isBelow(bytes, 8.1 * 1_048_576)
          assert.deepStrictEqual(hostsOf(log.page({ denied: false, limit: 1 })), ["last.test"])
          const { droppedCount = 0, entries } = log.page({ cursor: 0, denied: false, limit: 1 })
          assert.isAbove(droppedCount, 0)
          assert.strictEqual(entries[0]?.number, droppedCount + 1)
        })
      ),
    30_000
  )

  it.effect("a follower wakes at the next entry", () =>
    withLog((log) =>
      Effect.gen(function*() {
        const waiting = yield* Effect.forkChild(log.after(log.position()))
        yield* Effect.yieldNow
        yield* log.append(entry("a.test"))
        yield* Fiber.join(waiting)
        yield* log.after(0)
      })
    ))
})

describe("the denials of a command", () => {
  const numbered = (...records: ReadonlyArray<NewRecord>) =>
    records.map((record, at) => ({ number: at + 1, ...record }))

  const denialText = (...given: Parameters<typeof denialNews>) => denialNews(...given).map((one) => typedTold(one))
  const failureText = (...given: Parameters<typeof failureNews>) => failureNews(...given).map((one) => typedTold(one))

  it("one sentence names the hosts and the reason, and a step allows them", () => {
    assert.deepStrictEqual(
      denialText(numbered(denial("a.test"), denial("b.test"), denial("a.test"), entry("c.test"))),
      ["the network policy denied a.test:443, b.test:443: no rule. If the task needs it, allow it: --allow-host a.test:443 --allow-host b.test:443"]
    )
  })

  it("the sentence counts hosts that it does not name", () => {
    const many = Array.from({ length: 9 }, (_, at) => denial(`${at}.test`))
    assert.match(denialText(numbered(...many))[0]!, /0\.test:443, 1\.test:443, 2\.test:443 and 6 more/)
  })

  const deniedByName = (host: string, rule: string, kind: "connection" | "lookup" = "lookup"): NewRecord => {
    const verdict = judgeName(Result.getOrThrow(grantedBy({ ...openPolicy, denyHosts: [rule] })).rules, host, 443)
    assert(verdict._tag === "Denied")
    return entry(host, { kind, outcome: "denied", reason: verdict.reason, remedy: verdict.remedy! })
  }

  it("a look-up that the policy denies by name makes a sentence that proposes no grant", () => {
    assert.deepStrictEqual(
      denialText(numbered(deniedByName("b.test", "b.test"))),
      ["the network policy denies b.test:443 by name: b.test. Leave the denied host out of the request"]
    )
  })

  it("a workspace reads the whole policy without the denials by name, beside the grants of other hosts", () => {
    const text = denialText(
      numbered(
        denial("a.test"),
        deniedByName("b.test", "*.test"),
        deniedByName("registry.npmjs.org", "npm", "connection")
      ),
      workspaceSteps(
        () => "fix",
        () => ({ ...openPolicy, allowHosts: ["pypi"], denyHosts: ["*.test", "npm", "c.example"] })
      )
    )
    assert.deepStrictEqual(text, [
      "the network policy denied a.test:443: no rule. If the task needs it, allow it: pyro network set fix --allow-host pypi --allow-host a.test:443 " +
      "--deny-host '*.test' --deny-host npm --deny-host c.example",
      "the network policy denies b.test:443, registry.npmjs.org:443 by name: *.test, npm. " +
      "If the user agrees, lift the denial: pyro network set fix --allow-host pypi --deny-host c.example"
    ])
  })

  it("connections that were made or failed make no sentence", () => {
    assert.deepStrictEqual(
      denialText(numbered(entry("a.test"), entry("b.test", { outcome: "failed", reason: "refused" }))),
      []
    )
  })

  it("failed connections to allowed hosts make a sentence with each reason", () => {
    const failed = (name: string, reason: string) => entry(name, { outcome: "failed", reason })
    assert.deepStrictEqual(
      failureText(numbered(
        failed("a.test", "1.2.3.4 refused the connection"),
        denial("d.test"),
        failed("b.test", "the name b.test has no address"),
        entry("c.test")
      )),
      [
        "the policy allows the connection, but this host could not make it: a.test:443 (1.2.3.4 refused the connection), " +
        "b.test:443 (the name b.test has no address)"
      ]
    )
    assert.deepStrictEqual(failureText(numbered(entry("c.test"), denial("d.test"))), [])
    assert.deepStrictEqual(
      failureText(numbered(failed("a.test", UNTRUSTED), failed("a.test", UNTRUSTED), failed("b.test", "no"))),
      [
        "the policy allows the connection, but this host could not make it: b.test:443 (no)",
        "the guest's program did not trust the certificate of a.test:443. " +
        "If a proxy signs it that this host trusts, let the guest trust it too: --trust-host-certificates"
      ]
    )
  })

  it("a look-up that no rule would allow makes no sentence", () => {
    const { remedy: _, ...lookUp } = { ...denial("a"), kind: "lookup" as const }
    assert.deepStrictEqual(denialText(numbered(lookUp)), [])
  })
})
