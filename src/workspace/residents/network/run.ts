import { Effect, type Scope } from "effect"
import type { ChannelFailed, NetworkUnsupported } from "../../../contract/errors/errors.ts"
import { FirstIds } from "../../../lib/network/datagrams.ts"
import { Dialler } from "../../../lib/network/Dialler.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"
import { Paths } from "../../../system/files/Paths.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import { settleClients } from "../package-cache/clients.ts"
import { packageCaching } from "../package-cache/package-cache.ts"
import { type Granted, isOn } from "../policy/policy.ts"
import { fixedPolicySteps, type NetworkNews } from "../policy/steps.ts"
import type { Variables } from "../program/variables.ts"
import { newsOf } from "./denials.ts"
import { turnOnClaimed } from "./guest.ts"
import { memoryLog } from "./log.ts"
import { makePace } from "./pace.ts"
import { serveRequests } from "./serve.ts"

/** Gives the network to the guest of one `run`, until the Scope closes. Nothing is kept of its connections. Gives variables for its command. */
export const serveRun = (
  { channel, vm }: Guest,
  granted: Granted,
  { hosts, interceptionOf, placeholders }: HeaderSecrets
): Effect.Effect<
  { readonly news: NetworkNews; readonly variables: Variables },
  NetworkUnsupported | ChannelFailed,
  Dialler | Paths | Scope.Scope
> =>
  Effect.gen(function*() {
    const log = memoryLog()
    const rules = () => granted.rules
    const dialler = yield* Dialler
    const caching = packageCaching(yield* Paths, () => granted, hosts)
    const connecting = {
      dialler,
      // Each run is a group of its own for the fairness of the dialler.
      group: vm.id,
      rules,
      open: new Set<never>(),
      record: log.append,
      pace: makePace(log.append),
      firstIds: new FirstIds(),
      interceptionOf,
      placeholders,
      caching
    }
    yield* serveRequests(channel, connecting)
    yield* turnOnClaimed({ channel, vm })
    const variables = yield* settleClients(channel, caching)
    const trusts = () => granted.policy.trustHostCertificates === true
    return { news: newsOf(log, () => isOn(granted), fixedPolicySteps, trusts), variables }
  })
