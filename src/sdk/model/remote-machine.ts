import { Context } from "effect"

/** The context whose machine does the work. Undefined: this machine. */
export const RemoteMachine = Context.Reference<string | undefined>("pyro/sdk/RemoteMachine", {
  defaultValue: () => undefined
})
