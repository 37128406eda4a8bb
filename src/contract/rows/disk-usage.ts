import { Schema } from "effect"
import { integer, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

/** Users of the cache: each has a folder of its name there. */
export const cacheUsers = [
  "environments",
  "kernels",
  "templates",
  "seeds",
  "repositories",
  "packages",
  "downloads",
  "steps",
  "code"
] as const

/** Users of the host's disk. A shared file counts for the first of its users in this order. */
export const diskUsers = [...cacheUsers, "workspaces", "snapshots", "logs", "vms", "other"] as const

export const DiskUsage = lazy(() =>
  snakeStruct({
    usedBytes: integer("Bytes on disk of state and cache together"),
    evictableBytes: integer("Bytes of caches that pyro can evict: no workspace holds their content"),
    budgetBytes: optional(integer("Maximum of `used_bytes`, from PYRO_DISK_BUDGET_MIB. Absent without one")),
    freeBytes: integer("Bytes that the file system of the state directory has free for this user"),
    uses: Schema.Array(
      snakeStruct({
        what: Schema.Literals(diskUsers).annotate({
          description:
            "User of the space. `workspaces`: disks; `downloads`: the package cache; `steps`: kept steps of Dockerfiles; `vms`: files of running microVMs; `code`: compiled code of pyro. A shared file counts once"
        }),
        bytes: integer("Bytes on disk")
      })
    ).annotate({ description: "Users of the space, without those of 0 bytes" }),
    workspaces: Schema.Array(
      snakeStruct({
        workspace: string("Id of the workspace"),
        bytes: integer("Bytes of its disk, snapshots and logs that no other workspace shares")
      })
    ).annotate({ description: "Workspaces, largest first" })
  })
)
export type DiskUsage = ReturnType<typeof DiskUsage>["Type"]
