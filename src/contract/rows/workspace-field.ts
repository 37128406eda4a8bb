import { Schema } from "effect"
import { between, boolean, defaulted, described, matching, must, optional, strings } from "../text/fields.ts"
import { lazy } from "./operation.ts"

/** A name that cannot be an id, an option or a path. */
export const WorkspaceName = lazy(() =>
  Schema.String.pipe(
    matching(
      /^(?!ws-[0-9a-f]{10}$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      "must be 1 to 63 letters, digits, '.', '_' and '-', and not have the form of an id"
    )
  )
)

/** The workspace of a request. */
export const workspaceField = lazy(() =>
  Schema.String.pipe(
    must((name) => name !== "" && name.length <= 200, "must be a workspace's id or name"),
    described("Name or id of the workspace, or the first digits of the id")
  )
)

/** The payload of an operation that needs nothing but the workspace. */
export const WorkspaceRef = lazy(() => Schema.Struct({ workspace: workspaceField() }))

/** A snapshot of the workspace by its name. */
export const snapshotField = (description: string) =>
  Schema.String.pipe(
    matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be 1 to 63 letters, digits, '.', '_' and '-'"),
    described(description)
  )

/** A saved snapshot by its name. */
export const savedField = () =>
  Schema.String.pipe(
    matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be 1 to 63 letters, digits, '.', '_' and '-'"),
    described("Name of the saved snapshot")
  )

export const diskOnlyField = () => optional(boolean("Use only the files, in a new microVM without running processes"))

/** A workspace, or one of its snapshots. */
export const comparedField = (description: string) =>
  Schema.String.pipe(
    matching(
      /^[^@]{1,200}(@[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/,
      "must be a workspace's id or name, or WORKSPACE@SNAPSHOT"
    ),
    described(description)
  )

/** Maximum characters of a label's value: frameworks name things with pairs of UUIDs and with URIs. */
export const MAX_LABEL_CHARACTERS = 256

const LABEL_VALUE = new RegExp(`^[\\x20-\\x7e]{0,${MAX_LABEL_CHARACTERS}}$`)

/** Labels of a workspace by key. */
export const Labels = lazy(() =>
  strings(Schema.String).pipe(
    must((labels) =>
      Object.entries(labels).every(([key, value]) =>
        /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,62}$/.test(key) && LABEL_VALUE.test(value)
      ), "must be KEY=VALUE, with keys of letters, digits, '.', '_', '/' and '-', and printable values")
  )
)

export const WorkspaceUser = lazy(() => Schema.Literals(["root", "agent"]))
export type WorkspaceUser = ReturnType<typeof WorkspaceUser>["Type"]

export const workspaceUser = () =>
  defaulted(
    WorkspaceUser().annotate({
      description: "Owner of /workspace and of its files. Commands run as this user unless they name another"
    }),
    () => "root" as const
  )

/** The part of a repository's history that is copied with its files. */
export type GitHistory = "shallow" | "full" | "none"

export const GitHistory = (description: string) =>
  Schema.Literals(["shallow", "full", "none"]).annotate({ description })

export const gitHistoryText =
  "History of the repository to copy. `shallow`: the last commit. `full`: all commits. `none`: no .git"

/** The environment of a new microVM. */
export const environmentField = (description: string) =>
  defaulted(
    Schema.String.pipe(
      must((name) => name !== "" && name.length <= 200, "must be a name such as debian:12"),
      described(description)
    ),
    () => "debian:12"
  )

/** A program that runs microVMs. */
export const Driver = lazy(() => Schema.Literals(["qemu", "firecracker"]))
export type Driver = ReturnType<typeof Driver>["Type"]

/** Memory of a microVM whose caller names none. */
export const DEFAULT_MEMORY_MIB = 1024

/** The sizes of a new microVM. */
export const machineFields = () => ({
  driver: optional(
    Schema.Literals(["auto", ...Driver().literals]).annotate({
      description:
        "Program that runs the microVM. `firecracker`: needs KVM and an installed Firecracker; forks share memory. `auto`: QEMU. " +
        "Default: PYRO_DRIVER, else `auto`"
    })
  ),
  vcpuCount: defaulted(between({ from: 1, to: 32, description: "Number of virtual CPUs" }), () => 1),
  memoryMib: defaulted(
    between({ from: 128, to: 1_048_576, unit: "MiB", description: "Guest memory in MiB" }),
    () => DEFAULT_MEMORY_MIB
  )
})

export const confinementField = () =>
  optional(
    Schema.Literals(["namespaces", "namespaces+uid"]).annotate({
      description: "Fail if the host cannot confine the microVM to this level"
    })
  )
