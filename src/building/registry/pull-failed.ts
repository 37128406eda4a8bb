import { Effect, Option, Schema } from "effect"
import { ImagePullFailed, PullFailure } from "../../contract/errors/errors.ts"
import { call } from "../../contract/errors/next-step.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { NetworkRecord } from "../../contract/rows/workspace-network.ts"
import { THIS_HOST } from "../../lib/network/model/name.ts"

/** Failures whose reason the host knows better than the guest, which sees a refused connection only, or an answer of the cache of layers. */
const OF_NETWORK: ReadonlyArray<PullFailure> = ["unreachable", "timeout", "certificate", "failed", "server"]

/** The newest connections of a builder that were not made, without those to some registries. */
export const troubles = (pyro: PyroService, workspace: string, without: ReadonlyArray<string>) =>
  pyro.workspace.network.log(payloadOf("workspace.network.log", { workspace, limit: 20 })).pipe(
    Effect.map(({ entries }) =>
      entries.filter(({ host, outcome, port, reason }) =>
        outcome !== "allowed" && reason !== undefined &&
        !without.some((one) => one === `${host}:${port}` || (port === undefined && one.startsWith(`${host}:`)))
      )
    ),
    Effect.orElseSucceed((): ReadonlyArray<NetworkRecord> => [])
  )

/** The rule that would allow a denied connection or look-up by name. */
export const ruleOf = ({ host, kind, remedy }: NetworkRecord): string | undefined =>
  remedy?.field === "allow_hosts" ? remedy.rule : kind === "lookup" ? host : undefined

/** TLS with the registry that ended in pyro, or in the builder, before a request. */
const isOfCertificate = (reason: string) => /^(TLS with|the guest ended TLS)/.test(reason)

/** A loopback to which a registry sent the builder. It is the builder's own. */
const sentTo = (detail: string): string | undefined =>
  /"(https?:\/\/(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?)[/?"]/.exec(detail)?.[1]

/** Reports of the cache of layers about a failed connection. The registry was reachable if it sent nothing, or bytes that are no HTTP. */
export const ofConnection = (told: string): PullFailure =>
  told.startsWith("Parse Error") ? "server" : told === "the registry sends nothing" ? "stalled" : "unreachable"

/** The error of a pull whose builder refused. */
export const pullFailed = (
  pyro: PyroService,
  image: string,
  { mirrors, user }: { readonly user: string | undefined; readonly mirrors: ReadonlyArray<string> }
) =>
(workspace: string, refused: { readonly kind: string; readonly detail: string }) =>
  Effect.gen(function*() {
    const reason = Option.getOrElse(
      Schema.decodeUnknownOption(PullFailure)(refused.kind),
      (): PullFailure => refused.kind === "layer" ? "image" : "failed"
    )
    const detail = refused.detail.replaceAll(THIS_HOST, "localhost").replace(/[.\s]+$/, "")
    const plain = new ImagePullFailed({
      image,
      reason,
      detail,
      ...(user === undefined || reason !== "unauthorized" ? {} : { user })
    })
    const found = yield* troubles(pyro, workspace, mirrors)
    // The network answers plain HTTP for a host that it denies with 403, as a registry does without a login.
    const last = OF_NETWORK.includes(reason)
      ? found.at(-1)
      : reason === "unauthorized"
      ? found.findLast(({ outcome }) => outcome === "denied")
      : undefined
    const elsewhere = sentTo(refused.detail)
    if (last?.reason === undefined && OF_NETWORK.includes(reason) && elsewhere !== undefined) {
      const said = `it sends clients to ${elsewhere}, which is another place for each client`
      return yield* new ImagePullFailed({ image, reason: "server", detail: said })
    }
    if (last?.reason === undefined) return yield* plain
    const told = last.reason
    if (isOfCertificate(told)) return yield* new ImagePullFailed({ image, reason: "certificate", detail })
    if (last.outcome === "failed") {
      return yield* new ImagePullFailed({ image, reason: ofConnection(told), detail: told })
    }
    const rule = ruleOf(last)
    return yield* new ImagePullFailed({
      image,
      reason: "policy",
      detail: told,
      ...(rule === undefined ? {} : {
        next: [call("Allow the host if you trust it", "env.pull", { environment: image, allow_hosts: [rule] })]
      })
    })
  })
