import type { WorkspaceId, WorkspaceRecord } from "../../../src/workspace/entry/record.ts"

/** The record of a workspace that is on its second disk. */
export const recordOf = (id: string, phase: WorkspaceRecord["phase"]): WorkspaceRecord => ({
  format: 3,
  id: id as WorkspaceId,
  phase,
  labels: {},
  environment: { name: "debian:12", digest: "" },
  generation: 2,
  disk: 1,
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 1024,
  workspaceUser: "root",
  residents: {},
  createdAt: "2026-01-01T00:00:00.000Z"
})
