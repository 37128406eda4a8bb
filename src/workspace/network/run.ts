import { Effect, type Scope } from "effect"
import type { ChannelFailed, NetworkUnsupported } from "../../contract/errors.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { Dialler } from "../../network/dial/Dialler.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import { type NetworkNews, newsOf } from "./denials.ts"
import { turnOn } from "./guest.ts"
import { memoryLog } from "./log.ts"
import { makePace } from "./pace.ts"
import { type Granted, isOn } from "./policy.ts"
import { serveRequests } from "./serve.ts"

/** Counts the runs of this process: each is a group of its own for the fairness of the dialler. */
let runs = 0

/** Gives the network to the guest of one `run`, until the Scope closes. Nothing is kept of its connections. */
export const serveRun = (
  channel: GuestChannel,
  granted: Granted,
  { interceptionOf, placeholders }: HeaderSecrets
): Effect.Effect<NetworkNews, NetworkUnsupported | ChannelFailed, Dialler | Scope.Scope> =>
  Effect.gen(function*() {
    const log = memoryLog()
    const rules = () => granted.rules
    const dialler = yield* Dialler
    yield* serveRequests(channel, {
      dialler,
      group: `run ${runs += 1}`,
      rules,
      live: new Set(),
      record: log.append,
      pace: makePace(log.append),
      interceptionOf,
      placeholders
    })
    yield* turnOn(channel)
    return newsOf(log, () => isOn(granted))
  })
