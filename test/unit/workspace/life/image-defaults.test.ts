import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { RunPayload } from "../../../../src/contract/rows/run.ts"
import type { ImageConfig } from "../../../../src/lib/environment/model/image-config.ts"
import {
  ownerOfImage,
  portsOfImage,
  recordedProgram,
  runWithImage,
  withImage
} from "../../../../src/workspace/life/guest/image-defaults.ts"
import { recordOf } from "../record-of.ts"

const image = (more: Partial<ImageConfig> = {}) => ({
  digest: "",
  config: { env: ["A=1"], entrypoint: ["/serve"], command: ["--fast"], exposedPorts: [], ...more }
})

const asked = (more: object = {}) => Schema.decodeUnknownSync(RunPayload())({ environment: "app", ...more })

describe("a run in an image", () => {
  it.effect("without a command runs the image's, which its stop signal ends", () =>
    Effect.gen(function*() {
      const run = yield* runWithImage(asked(), image({ stopSignal: "SIGQUIT" }), false)
      assert.deepInclude(run, { isImageCommand: true, command: ["/serve", "--fast"], stopSignal: 3 })
      assert.isUndefined((yield* runWithImage(asked(), image(), false)).stopSignal)
    }))

  it.effect("with a command has neither", () =>
    Effect.gen(function*() {
      const run = yield* runWithImage(asked({ command: ["ls"] }), image({ stopSignal: "SIGQUIT" }), false)
      assert.deepStrictEqual([run.command, run.stopSignal, run.isImageCommand], [["ls"], undefined, undefined])
    }))

  it.effect("without any command has nothing to run, unless a person types into its shell", () =>
    Effect.gen(function*() {
      const none = image({ entrypoint: [], command: [] })
      assert.strictEqual((yield* Effect.flip(runWithImage(asked(), none, false))).field, "command")
      const { message } = yield* Effect.flip(runWithImage(asked(), undefined, false))
      assert.match(message, /nothing to run: app is of no image/)
      assert.deepStrictEqual(yield* runWithImage(asked(), undefined, true), asked())
      assert.isTrue((yield* runWithImage(asked({ tty: true }), undefined, false)).tty)
    }))
})

describe("a workspace of an image", () => {
  it("remembers what services run that name no command", () => {
    const healthCheck = { test: ["CMD", "/serve", "--check"] }
    const { image: program } = withImage(
      recordOf("ws-0000000001", "running"),
      image({ healthCheck, stopSignal: "SIGQUIT" })
    )
    assert.deepInclude(program, { entrypoint: ["/serve"], command: ["--fast"], healthCheck, stopSignal: "SIGQUIT" })
  })

  it("has no program if the image has none, or one that no message takes", () => {
    assert.deepStrictEqual(recordedProgram(undefined), {})
    assert.deepStrictEqual(recordedProgram(image({ entrypoint: [], command: [] })), {})
    assert.deepStrictEqual(recordedProgram(image({ command: Array.from({ length: 8 }, () => "x".repeat(16_000)) })), {})
  })
})

describe("the user of an image", () => {
  it.effect("is the one that the guest looks up, with its groups, and the request's wins", () =>
    Effect.gen(function*() {
      const named = image({ user: "1234:50", account: "app" })
      assert.strictEqual(withImage(recordOf("ws-0000000001", "running"), named).user, "app")
      assert.strictEqual((yield* runWithImage(asked(), named, false)).user, "app")
      assert.strictEqual((yield* runWithImage(asked({ user: "root" }), named, false)).user, "root")
      assert.deepStrictEqual(ownerOfImage(named), { uid: 1234, gid: 50 })
      assert.strictEqual(withImage(recordOf("ws-0000000001", "running"), image({ user: "1:2" })).user, "1:2")
    }))
})

describe("the ports of an image", () => {
  it("are named, a few of many, and odd texts are not", () => {
    assert.isUndefined(portsOfImage(undefined))
    assert.isUndefined(portsOfImage(image({ exposedPorts: ["80\u001b[31m"] })))
    assert.strictEqual(portsOfImage(image({ exposedPorts: ["53/udp", "8080/tcp", "9"] })), "53/udp, 8080/tcp, 9")
    const many = Array.from({ length: 10 }, (_, at) => `${8000 + at}/tcp`)
    assert.match(portsOfImage(image({ exposedPorts: many })) ?? "", /8007\/tcp and 2 more$/)
  })
})
