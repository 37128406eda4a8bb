import { Effect, Result } from "effect"
import type { GuestChannel } from "../../../src/lib/guest-channel/GuestChannel.ts"
import type { NetworkRequest } from "../../../src/lib/guest-channel/model/network.ts"
import { FirstIds } from "../../../src/lib/network/datagrams.ts"
import type { DiallerService } from "../../../src/lib/network/Dialler.ts"
import { policyOff } from "../../../src/lib/network/model/policy.ts"
import type { NewRecord } from "../../../src/workspace/residents/network/log.ts"
import type { Connecting, Open } from "../../../src/workspace/residents/network/open.ts"
import { grantedBy } from "../../../src/workspace/residents/policy/policy.ts"

/** The rules of the policy `egress` with these fields. */
export const egressRules = (fields: object) =>
  Result.getOrThrow(grantedBy({ ...policyOff, networkPolicy: "egress", ...fields })).rules

const unused = () => Effect.die(new Error("unused"))

/** Serves a guest without secrets, caches and a limit of its pace. `dialler` has the parts that the test uses. */
export const connectingOf = (
  { dialler, ...given }: Pick<Connecting, "rules"> & Partial<Omit<Connecting, "dialler" | "rules">> & {
    readonly dialler: Partial<DiallerService>
  }
) => {
  const records: Array<NewRecord> = []
  const open = new Set<Open>()
  const connecting: Connecting = {
    dialler: {
      dial: unused,
      dialNow: () => undefined,
      openDatagrams: unused,
      makeAuthority: unused,
      resolve: unused,
      ...dialler
    },
    group: "w",
    open,
    record: (one) => Effect.sync(() => void records.push(one)),
    pace: { isNow: () => true, wait: Effect.void, isDatagramNow: () => true, isHandshakeNow: () => true },
    firstIds: new FirstIds(),
    interceptionOf: () => Effect.succeed(undefined),
    placeholders: () => [],
    caching: { of: () => undefined, settings: () => undefined },
    ...given
  }
  return { connecting, open, records }
}

/** A channel whose guest asks what a test gives to `take`. */
export const askingChannel = () => {
  let listener = (_: NetworkRequest): unknown => undefined
  const forEachNetworkRequest: GuestChannel["forEachNetworkRequest"] = (given) => {
    listener = given
    return Effect.never
  }
  return { channel: { forEachNetworkRequest }, take: (request: NetworkRequest) => listener(request) }
}
