import { Effect } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import type { Port } from "../promises/services.ts"
import type { Workspace } from "../promises/workspace.ts"
import type { Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"

/** Gives ports of the guest an address on the host. The Scope ends the listener, unless another client had published the port before. */
export const portIn =
  ({ pyro: { workspace: { port } }, use }: Host, workspace: string): InEffect<Workspace>["port"] =>
  (guestPort, { hostPort: asked } = {}) => {
    const unpublish = Effect.asVoid(use(port.unpublish({ workspace, guestPort })))
    const isAsked = (hostPort: number | undefined) =>
      hostPort !== undefined && (asked === undefined || asked === hostPort)
    const publish = use(port.publish({ workspace, port: `${asked ?? 0}:${guestPort}` })).pipe(
      Effect.map(({ hostPort }) => ({ hostPort, owned: true })),
      // A service has published the port meanwhile.
      Effect.catchTag(
        "PortAlreadyPublished",
        (failure) =>
          isAsked(failure.hostPort)
            ? Effect.succeed({ hostPort: failure.hostPort, owned: false })
            : Effect.fail(failure)
      )
    )
    const published = Effect.flatMap(use(port.list({ workspace })), ({ ports }) => {
      const known = ports.find((one) => one.guestPort === guestPort)
      if (known === undefined) return publish
      if (isAsked(known.hostPort)) return Effect.succeed({ hostPort: known.hostPort, owned: false })
      // The workspace is paused, or has another port than the requested one.
      return Effect.map(publish, ({ hostPort }) => ({ hostPort, owned: false }))
    })
    return Effect.gen(function*() {
      const { hostPort, owned } = yield* Effect.acquireRelease(
        published,
        ({ owned }) => owned ? Effect.ignoreCause(unpublish) : Effect.void
      )
      if (hostPort === undefined) return yield* new ChannelFailed({ detail: "the host does not listen for the port" })
      return handle<InEffect<Port>>("Port", {
        guestPort,
        hostPort,
        url: `http://127.0.0.1:${hostPort}`,
        close: () => owned ? unpublish : Effect.void
      })
    })
  }
