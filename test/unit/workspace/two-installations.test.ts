import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { redactValue } from "../../../src/lib/redaction/redact.ts"
import { SecretRegistry } from "../../../src/lib/redaction/secrets.ts"
import { EventLog, recordEvent } from "../../../src/workspace/entry/events.ts"
import { PortHolders } from "../../../src/workspace/entry/port-holders.ts"
import { makeListeners } from "../../../src/workspace/residents/port/listener.ts"
import { writeSecrets } from "../../../src/workspace/residents/secret/secret-file.ts"
import { initialSecrets, openSecrets } from "../../../src/workspace/residents/secret/workspace-secrets.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"
import { eventLog } from "../../support/workspace/event-log.ts"

/** What an installation keeps in memory beside its workspaces, and a folder for a workspace of its own. */
const installation = Effect.gen(function*() {
  const { folder, remove } = temporaryFolder("pyro-installation-")
  yield* Effect.addFinalizer(() => Effect.sync(remove))
  // As src/daemon/layer.ts composes it. The other installation builds the same layers.
  const context = yield* Layer.build(Layer.merge(eventLog, PortHolders.layer))
  return {
    folder,
    inside: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.provide(work, context)
  }
})

const bothInstallations = Effect.all([installation, installation])

describe("two installations in one process", () => {
  it.effect("an installation hears of its own events alone", () =>
    Effect.gen(function*() {
      const [one, other] = yield* bothInstallations
      const waiting = yield* Effect.forkChild(other.inside(Effect.flatMap(EventLog, (log) => log.next(0))))
      yield* Effect.yieldNow
      yield* one.inside(recordEvent(one.folder, { _tag: "started" }))
      assert.isUndefined(waiting.pollUnsafe())
      const counts = yield* Effect.forEach([one, other], ({ inside }) => inside(EventLog))
      assert.deepStrictEqual(counts.map((log) => log.recorded()), [1, 0])
      yield* other.inside(recordEvent(other.folder, { _tag: "started" }))
      yield* Fiber.join(waiting)
    }))

  it.effect("an installation knows the secrets of its own workspaces alone", () =>
    Effect.gen(function*() {
      const [one, other] = yield* bothInstallations
      yield* writeSecrets(one.folder, initialSecrets({ secrets: { TOKEN: Redacted.make("correct horse battery") } }))
      yield* one.inside(openSecrets(one.folder))
      const known = yield* Effect.forEach([one, other], ({ inside }) => inside(SecretRegistry))
      assert.deepStrictEqual(known.map((secrets) => secrets.sets().length), [1, 0])
      // Even of a folder with the same path.
      const line = "TOKEN=correct horse battery"
      assert.deepStrictEqual(known.map((secrets) => redactValue(secrets.setsOf(one.folder), line)), [
        "TOKEN=[secret:TOKEN]",
        line
      ])
      yield* one.inside(recordEvent(one.folder, { _tag: "agent", level: "info", text: line }))
      assert.include(fs.readFileSync(path.join(one.folder, "events.jsonl"), "utf8"), "[secret:TOKEN]")
    }))

  it.live("an installation does not learn whose port another one has", () =>
    Effect.gen(function*() {
      const [one, other] = yield* bothInstallations
      const listen = (where: typeof one, workspace: string, hostPort: number) =>
        where.inside(
          Effect.flatMap(makeListeners(workspace, Effect.succeed(undefined)), (all) => all.listen(3_000, hostPort))
        )
      const { hostPort } = yield* listen(one, "ws-0000000001", 0)
      const own = yield* Effect.flip(listen(one, "ws-0000000002", hostPort))
      const foreign = yield* Effect.flip(listen(other, "ws-0000000003", hostPort))
      assert.deepStrictEqual(
        [own, foreign].map((failure) => failure._tag === "PortInUse" ? failure.workspace : failure._tag),
        ["ws-0000000001", undefined]
      )
    }))
})
