import type { Scope } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { Guest } from "../../vm/guest.ts"

/** One incarnation of a workspace's VM: running, with its disk mounted, used by no other workspace. */
export interface Generation {
  readonly guest: Guest
  readonly channel: GuestChannel
  /** Its end first ends all work in the VM, then the VM. */
  readonly scope: Scope.Closeable
}
