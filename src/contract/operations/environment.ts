import { Schema } from "effect"
import { defaulted, list, optional, text } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"

const HOST_ADMINISTRATION = { missing: "host administration" } as const

const summaryFields = lazy(() => ({
  name: Schema.String,
  description: Schema.String,
  state: Schema.Literal("ready", "absent", "outdated").annotations({
    description: "`ready` on this host, `absent` (built when first used), or `outdated` (built from an older recipe)"
  }),
  digest: optional(
    Schema.String.annotations({ description: "What the image is made of; the same inputs give the same digest" })
  ),
  sizeBytes: optional(Schema.Int.annotations({ description: "Size of the image file" })),
  origin: Schema.Literal("catalogue", "own").annotations({
    description: "Whether pyro knows it by itself, or `pyro env build` made it here"
  }),
  from: optional(Schema.String.annotations({ description: "Of an own one: environment whose packages it has" })),
  fromWorkspace: optional(
    Schema.String.annotations({ description: "Of an own one: id of the workspace whose root it was" })
  ),
  addedPackages: optional(
    Schema.Array(Schema.String).annotations({ description: "Of an own one: packages that were added to those" })
  ),
  builtAt: optional(Schema.String.annotations({ description: "When it was built here, ISO 8601" }))
}))

export const EnvironmentSummary = lazy(() => Schema.Struct(snakeFields(summaryFields())))
export type EnvironmentSummary = ReturnType<typeof EnvironmentSummary>["Type"]

export const EnvironmentDetail = lazy(() =>
  Schema.Struct(snakeFields({
    ...summaryFields(),
    imagePath: optional(Schema.String.annotations({ description: "Image file in the cache" })),
    kernelVersion: optional(Schema.String),
    packages: Schema.Array(Schema.Struct({ name: Schema.String, version: Schema.String })).annotations({
      description: "Debian packages inside"
    })
  }))
)
export type EnvironmentDetail = ReturnType<typeof EnvironmentDetail>["Type"]

const OneEnvironment = lazy(() =>
  Schema.Struct({ environment: text("Name of an environment, as `pyro env list` prints it") })
)

const Removed = lazy(() =>
  Schema.Struct(snakeFields({
    removed: Schema.Array(Schema.String).annotations({
      description:
        "What is gone: environments' names, or digests of their images; `template KEY`, `seed DIGEST`, `repository NAME`"
    }),
    freedBytes: Schema.Int
  }))
)
export type Removed = ReturnType<typeof Removed>["Type"]

export const EnvironmentList = lazy(() => Schema.Struct({ environments: Schema.Array(EnvironmentSummary()) }))
export type EnvironmentList = ReturnType<typeof EnvironmentList>["Type"]

export const environmentList = unary({
  name: "env.list",
  summary: "List the environments and which are on this host",
  description:
    "Names every environment of the catalogue and of `pyro env build`. Those that were built here have a digest, a size and an age.",
  cli: { path: ["env", "list"], args: [], exits: "own", examples: ["pyro env list", "pyro env list --json"] },
  mcp: { tool: "environment_list", profiles: ["full"] },
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: EnvironmentList
})

export const PullPayload = lazy(() =>
  Schema.Struct({
    ...OneEnvironment().fields,
    force: defaulted(
      Schema.Boolean.annotations({ description: "Build it again even when it is there and unharmed" }),
      () => false
    )
  })
)
export type PullPayload = ReturnType<typeof PullPayload>["Type"]

export const PullEvent = lazy(() =>
  Schema.Union(Notice(), Schema.TaggedStruct("Ready", { environment: EnvironmentSummary() }))
)
export type PullEvent = ReturnType<typeof PullEvent>["Type"]

const foldPull = (): Folding<PullEvent, EnvironmentSummary> => {
  let ready: EnvironmentSummary | undefined
  return {
    add: (event) => {
      if (event._tag === "Ready") ready = event.environment
    },
    result: () => ready
  }
}

export const environmentPull = streaming({
  name: "env.pull",
  summary: "Build an environment now, or check the one that is there",
  description:
    "Builds the image from Debian's packages when it is absent or outdated; otherwise reads it whole and compares " +
    "its hash, and builds it again when it is damaged.",
  cli: { path: ["env", "pull"], args: ["environment"], exits: "own", examples: ["pyro env pull debian:12-build"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: PullPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: foldPull
})

export const BuildPayload = lazy(() =>
  Schema.Struct(snakeFields({
    name: text("Name of the new environment, such as `myenv` or `myenv:2`"),
    from: optional(text("Environment to start from, with `packages`")),
    packages: defaulted(
      list(text("Name of a Debian package")).annotations({
        description: "Debian packages to add, separated by commas or spaces; `NAME=VERSION` for a version"
      }),
      () => []
    ),
    fromWorkspace: optional(
      text(
        "Id or name of a running workspace whose root becomes the environment: all but /workspace, /tmp and what runs"
      )
    ),
    replace: defaulted(
      Schema.Boolean.annotations({
        description: "Give the name to the new environment when an environment of your own has it already"
      }),
      () => false
    )
  }))
)
export type BuildPayload = ReturnType<typeof BuildPayload>["Type"]

export const environmentBuild = streaming({
  name: "env.build",
  summary: "Build an environment of your own from packages, or from a workspace",
  description:
    "Builds an image of another environment's packages and more of Debian's packages. The packages are installed once and not in " +
    "every workspace. A build that fails leaves nothing. pyro keeps the definition with its state, and builds a lost or damaged image " +
    "again when a workspace wants it. With `from_workspace` the image is the root of a running workspace; no program should change " +
    "that root during the build.",
  cli: {
    path: ["env", "build"],
    args: ["name"],
    greedy: ["packages"],
    exits: "own",
    examples: [
      "pyro env build web --from debian:12-build --packages postgresql-client redis-tools",
      "pyro workspace create web",
      "pyro env build fixed --from-workspace fix"
    ]
  },
  mcp: HOST_ADMINISTRATION,
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: BuildPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: foldPull
})

export const environmentInspect = unary({
  name: "env.inspect",
  summary: "Show what an environment is made of",
  description: "Shows an environment's digest, image, kernel and packages, and checks the image's hash.",
  cli: { path: ["env", "inspect"], args: ["environment"], exits: "own", examples: ["pyro env inspect debian:12"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: OneEnvironment,
  result: EnvironmentDetail
})

export const environmentRemove = unary({
  name: "env.rm",
  summary: "Remove an environment from this host",
  description:
    "Removes the image and the templates made from it. One of the catalogue is built anew when it is next used; one made with " +
    "`pyro env build` is gone. Workspaces keep the image that they started from.",
  cli: { path: ["env", "rm"], args: ["environment"], exits: "own", examples: ["pyro env rm debian:13"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: OneEnvironment,
  result: Removed
})

export const environmentPrune = unary({
  name: "env.prune",
  summary: "Remove images, templates and copies of projects that nothing uses",
  description:
    "Removes images, kernels and templates left over from older recipes and from builds that were cut short, and copies of " +
    "projects that no workspace starts with (the next one of a project takes a new copy).",
  cli: { path: ["env", "prune"], args: [], exits: "own", examples: ["pyro env prune"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: Removed
})
