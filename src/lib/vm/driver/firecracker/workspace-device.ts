import { Calls } from "../../../guest-channel/model/calls.ts"
import type { WorkspaceDevice } from "../machine-steps.ts"

/** The workspace disk of a guest on Firecracker: the guest's own layer of the store (vdb) over the seed (vdd). */
export const workspaceDevice = (virtualBytes: number): WorkspaceDevice => ({
  path: "/dev/dm-0",
  attach: [Calls.layer({ seed: "/dev/vdd", store: "/dev/vdb", bytes: virtualBytes })],
  detach: [Calls.layer({ seed: "", store: "", bytes: 0 })]
})
