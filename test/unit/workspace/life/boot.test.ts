import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Calls, NetworkMode } from "../../../../src/lib/guest-channel/model/calls.ts"
import { Vmm } from "../../../../src/lib/vm/Vmm.ts"
import { acquireWorkspace, type WorkspaceRequest } from "../../../../src/workspace/life/guest/boot.ts"
import { turnOnClaimed } from "../../../../src/workspace/residents/network/guest.ts"
import { AgentMessage, FIRST_CALL, HostMessage } from "../../../support/guest-channel/guest-wire.ts"
import { localSteps } from "../../../support/local-agent/steps.ts"
import { connected } from "../../lib/guest-channel/peer.ts"

const EIO = 5
const nothing = Buffer.alloc(0)

/** A guest that was not claimed yet, whose agent is the test. */
const unclaimed = Effect.gen(function*() {
  const { channel, peer } = yield* connected
  const guest = { vm: { steps: localSteps, health: { failure: Effect.never } }, channel, isMounted: false }
  const seed = { virtualBytes: 1 }
  const request = { hostname: "w", seed, overlays: [], placeholder: seed } as unknown as WorkspaceRequest
  const workspace = yield* acquireWorkspace(request).pipe(
    Effect.provide(Layer.succeed(Vmm, { restore: () => Effect.succeed(guest) } as unknown as Vmm["Service"]))
  )
  /** Answers calls by their numbers. The tests' clock stands, so that no call for the guest's clock follows, as it does on a slow host. */
  const answer = (from: number, to: number, errno = 0) => {
    for (let call = from; call < to; call++) {
      peer.send(AgentMessage.Result, FIRST_CALL + call, { errno, detail: "", result: nothing })
    }
  }
  return { answer, peer, turnedOn: workspace.readyWith(turnOnClaimed(workspace.guest)) }
})

const claimCalls = localSteps.claim({ hostname: "", machineId: "", bootId: "", generation: "" }, {}).length + 2
/** The chain of the resolver, and NETWORK. */
const networkCalls = localSteps.coverResolver.length + 3

describe("the network of a new guest", () => {
  it.effect("the network is asked for right after the claim, and no caller waits for it", () =>
    Effect.gen(function*() {
      const { answer, peer, turnedOn } = yield* unclaimed
      const claim = yield* Effect.forkChild(turnedOn)
      const calls = yield* peer.received(HostMessage.Call, claimCalls + networkCalls)
      assert.strictEqual(calls.length, claimCalls + networkCalls)
      assert.deepStrictEqual(
        peer.frames.at(-1)?.payload.toString("hex"),
        Calls.network({ mode: NetworkMode.onClaimed }).encode().toString("hex")
      )
      answer(0, claimCalls)
      const network = yield* Effect.forkChild(yield* Fiber.join(claim))
      answer(claimCalls, claimCalls + networkCalls)
      yield* Fiber.join(network)
    }))

  it.effect("a guest whose kernel cannot steer says so after the claim", () =>
    Effect.gen(function*() {
      const { answer, peer, turnedOn } = yield* unclaimed
      const claim = yield* Effect.forkChild(turnedOn)
      yield* peer.received(HostMessage.Call, claimCalls + networkCalls)
      answer(0, claimCalls + networkCalls - 1)
      answer(claimCalls + networkCalls - 1, claimCalls + networkCalls, EIO)
      assert.strictEqual((yield* Effect.flip(yield* Fiber.join(claim)))._tag, "NetworkUnsupported")
    }))

  it.effect("a guest that cannot be claimed fails by its claim", () =>
    Effect.gen(function*() {
      const { answer, peer, turnedOn } = yield* unclaimed
      const claim = yield* Effect.forkChild(Effect.flip(Effect.flatten(turnedOn)))
      yield* peer.received(HostMessage.Call, claimCalls + networkCalls)
      answer(0, 1)
      answer(1, claimCalls + networkCalls, EIO)
      const failure = yield* Fiber.join(claim)
      assert.deepInclude(failure, { _tag: "VmFailed", step: "claim" })
    }))
})
