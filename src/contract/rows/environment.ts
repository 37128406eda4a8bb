import { Schema } from "effect"
import { NextStep } from "../errors/next-step.ts"
import { defaulted, flag, hostPath, integer, list, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBuilding } from "./call-errors.ts"
import { variables } from "./command.ts"
import { DiskUsage } from "./disk-usage.ts"
import { ImageSettings } from "./environment-image.ts"
import { nextVmFields } from "./next-vm-fields.ts"
import { foldTo, Notice } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { buildGroups } from "./option-groups.ts"
import { registryFields, registryFlags } from "./registry-fields.ts"
import { buildSecretsField } from "./secret-fields.ts"

const HOST_ADMINISTRATION = { missing: "host administration" } as const

const summaryFields = lazy(() => ({
  name: string("Name of the environment"),
  description: string("Contents, one line"),
  state: Schema.Literals(["ready", "absent", "outdated"]).annotate({
    description: "`ready`: on this host. `absent`: built when first used. `outdated`: built from an older recipe"
  }),
  next: optional(
    Schema.Array(NextStep).annotate({
      description: "For `outdated`: steps that make the image again. The old image still works"
    })
  ),
  digest: optional(string("Digest of the image's inputs; the same inputs have the same digest. Absent if not built")),
  sizeBytes: optional(integer("Size of the image file in bytes. Absent if not built")),
  origin: Schema.Literals(["catalogue", "own", "image"]).annotate({
    description: "`catalogue`: defined by pyro. `own`: made by `pyro env build`. `image`: an image of a registry"
  }),
  imageDigest: optional(string("For `image`: digest of the image's manifest")),
  from: optional(string("For `own`: environment that it extends")),
  fromWorkspace: optional(string("For `own`: id of the workspace whose root became the image")),
  addedPackages: optional(
    Schema.Array(Schema.String).annotate({ description: "For `own`: packages that were added" })
  ),
  addedNpmPackages: optional(
    Schema.Array(Schema.String).annotate({
      description: "For `own`: npm packages that were added, with versions. Absent without one"
    })
  ),
  builtAt: optional(string("Time of the build on this host, ISO 8601. Absent if not built"))
}))

export const EnvironmentSummary = lazy(() => snakeStruct(summaryFields()))
export type EnvironmentSummary = ReturnType<typeof EnvironmentSummary>["Type"]

const EnvironmentDetail = lazy(() =>
  snakeStruct({
    ...summaryFields(),
    image: optional(
      ImageSettings().annotate({ description: "For an image: what it says of its programs. Absent for others" })
    ),
    mirror: optional(
      string(
        "For `image`: mirror that gave the image, or mirrors that gave bases of its Dockerfile, separated by commas. Absent if none did"
      )
    ),
    imagePath: optional(string("Path of the image file in the cache. Absent if not built")),
    kernelVersion: optional(string("Version of the guest's kernel")),
    packages: Schema.Array(
      Schema.Struct({ name: string("Name of the Debian package"), version: string("Its version") })
    ).annotate({ description: "Debian packages in the image" })
  })
)
type EnvironmentDetail = ReturnType<typeof EnvironmentDetail>["Type"]

const OneEnvironment = lazy(() =>
  Schema.Struct({ environment: text("Name of an environment, as `pyro env list` prints it") })
)

const PulledEnvironment = lazy(() =>
  Schema.Struct({
    environment: text("Name of an environment, or full reference of an image: HOST/REPOSITORY[:TAG][@DIGEST]")
  })
)

const Removed = lazy(() =>
  snakeStruct({
    removed: Schema.Array(Schema.String).annotate({
      description:
        "What was removed: names of environments or digests of images, `template KEY`, `seed DIGEST`, `repository NAME`"
    }),
    freedBytes: integer("Bytes of disk that were freed"),
    keptBy: optional(
      Schema.Array(Schema.String).annotate({
        description:
          "Workspaces by name or id, and saved snapshots as `saved NAME`, that keep a removed image: its bytes are free once they are deleted. Absent: none"
      })
    ),
    disk: DiskUsage().annotate({ description: "Use of the host's disk afterwards" })
  })
)
type Removed = ReturnType<typeof Removed>["Type"]

const EnvironmentList = lazy(() =>
  Schema.Struct({ environments: Schema.Array(EnvironmentSummary()).annotate({ description: "All environments" }) })
)

export const environmentList = unary({
  name: "env.list",
  summary: "List environments, and which of them are on this host",
  description:
    "Lists the environments that pyro defines, and those of `pyro env build` and `pyro env pull`. Environments that are on this host have a size and an age; --json also has their digests. `builder` is pyro's own.",
  cli: { path: ["env", "list"], args: [], examples: ["pyro env list", "pyro env list --json"] },
  mcp: { tool: "environment_list", profiles: ["full"], omits: ["added_npm_packages", "image_digest"] },
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: EnvironmentList
})

export const PullPayload = lazy(() =>
  snakeStruct({
    ...PulledEnvironment().fields,
    force: flag("Build the image again, even if it is undamaged"),
    allowHosts: optional(
      list(text("Rule for a host")).annotate({
        description:
          "For an image: further host that its registry sends clients to, for tokens or layers: NAME[:PORT], *.SUFFIX[:PORT] or a list. Default: the registry, and what pyro knows of it"
      })
    ),
    allowIps: optional(
      list(text("Rule for an address")).annotate({
        description:
          "For an image: private address that a host of the registry may have, IP[/BITS][:PORT]. Default: none"
      })
    ),
    ...nextVmFields(),
    ...registryFields()
  })
)
export type PullPayload = ReturnType<typeof PullPayload>["Type"]

export const PullEvent = lazy(() =>
  Schema.Union([
    Notice(),
    Schema.TaggedStruct("Ready", {
      environment: EnvironmentSummary().annotate({ description: "The environment after the build" })
    })
  ])
)
export type PullEvent = ReturnType<typeof PullEvent>["Type"]

export const environmentPull = streaming({
  name: "env.pull",
  summary: "Build an environment, pull an image, or check the existing image",
  description:
    "Builds the image from Debian packages if it is absent or outdated. Otherwise checks the image's hash, and builds " +
    "a damaged image again. A full reference of an image, with the registry's name, is pulled by a microVM and becomes an environment of this name.",
  cli: {
    path: ["env", "pull"],
    args: ["environment"],
    flags: { allow_hosts: "allow-host", allow_ips: "allow-ip", token_hosts: "token-host" },
    filled: ["next_driver", "next_memory_mib", "registry_auth"],
    extras: registryFlags,
    imageSources: ["environment"],
    examples: ["pyro env pull debian:12-build", "pyro env pull docker.io/library/python:3.12-slim"]
  },
  mcp: HOST_ADMINISTRATION,
  errors: [...ofBuilding, "EnvironmentNameTaken"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: PullPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: () => foldTo("Ready", ({ environment }) => environment)
})

export const BuildPayload = lazy(() =>
  snakeStruct({
    name: optional(
      text(
        "Name of the new environment, such as `myenv` or `myenv:2`. Needed without `devcontainer`, whose default is a name for its project"
      )
    ),
    from: optional(text("Environment to extend with `packages`")),
    packages: defaulted(
      list(text("Name of a Debian package")).annotate({
        description: "Debian packages to add, separated by commas or spaces. `NAME=VERSION` selects a version"
      }),
      () => []
    ),
    npm: defaulted(
      list(text("npm package")).annotate({
        description:
          "npm packages to add beneath /usr/local, as NAME@VERSION. NAME@22 is the newest release of 22, and node@22 that of Node. The host's npm fetches them. Their install scripts do not run"
      }),
      () => []
    ),
    dockerfile: optional(
      hostPath("Directory with a Dockerfile, or the Dockerfile. Its directory is the context, without ignored files")
    ),
    devcontainer: optional(
      hostPath(
        "Directory of a project with a devcontainer.json, or that file. Builds the environment that it describes"
      )
    ),
    target: optional(text("Stage of the Dockerfile to build. Default: the last one")),
    buildArgs: defaulted(variables("Arguments of the Dockerfile. No secrets. Default: none"), () => ({})),
    ...buildSecretsField(
      "Secrets of the Dockerfile by their ids, for `RUN --mount=type=secret,id=ID`. Its programs can read them. Default: none"
    ),
    platform: optional(text("Platform of the image. `linux/amd64` alone is supported")),
    noCache: flag("Run every step of the Dockerfile, and keep none for later builds of this name"),
    pull: flag(
      "Ask the registries for the images of the Dockerfile again, also for those that this host has as environments"
    ),
    allowHosts: defaulted(
      list(text("Rule for a host")).annotate({
        description:
          "Host that the Dockerfile's programs may connect to, and registry that its files may name: NAME[:PORT], *.SUFFIX[:PORT], localhost:PORT of a registry on this host, localhost/NAME of an environment of this host, or a list of `pyro network lists`, such as npm. Default: the well-known registries that the files name"
      }),
      () => []
    ),
    ...nextVmFields(),
    ...registryFields(),
    replace: flag("Give the name to the new environment if another environment of yours has the name")
  })
)
export type BuildPayload = ReturnType<typeof BuildPayload>["Type"]

export const environmentBuild = streaming({
  name: "env.build",
  summary: "Build an environment from packages, a Dockerfile or a dev container",
  description:
    "Adds Debian packages and npm packages to the image of another environment. The packages are installed once, for all workspaces. " +
    "A failed build leaves nothing behind. pyro keeps the definition in its state directory, and builds a lost or damaged image again when a " +
    "workspace needs it. With --dockerfile or --devcontainer, a microVM builds an image, which becomes the environment.",
  cli: {
    path: ["env", "build"],
    args: ["name"],
    groups: buildGroups,
    neededWithout: { name: ["devcontainer"] },
    greedy: ["packages", "npm"],
    hostPaths: ["dockerfile", "devcontainer"],
    flags: { build_args: "build-arg", allow_hosts: "allow-host", token_hosts: "token-host" },
    filled: ["next_driver", "next_memory_mib", "registry_auth", "secrets"],
    extras: {
      ...registryFlags,
      secret: {
        _tag: "secret",
        from: "docker",
        description:
          "id=ID,src=FILE or id=ID,env=VARIABLE: a secret for `RUN --mount=type=secret,id=ID`. Its programs can read it"
      }
    },
    examples: [
      "pyro env build web --from debian:12-build --packages postgresql-client redis-tools",
      "pyro env build lint --from debian:13 --packages nodejs --npm prettier@3.6.2",
      "pyro env build node22 --from debian:12 --npm node@22 npm@11",
      "pyro create web",
      "pyro env build app --dockerfile . --allow-host pypi",
      "pyro env build --devcontainer ."
    ]
  },
  mcp: HOST_ADMINISTRATION,
  // A builder is a workspace, and a build without one shares the lock of the images.
  home: "daemon",
  errors: [...ofBuilding, "DevContainerRefused", "EnvironmentNameTaken", "RegistryNotAllowed"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: BuildPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: () => foldTo("Ready", ({ environment }) => environment)
})

export const environmentInspect = unary({
  name: "env.inspect",
  summary: "Show the contents of an environment",
  description: "Shows an environment's digest, image, kernel and packages, and checks the image's hash.",
  cli: { path: ["env", "inspect"], args: ["environment"], examples: ["pyro env inspect debian:12"] },
  mcp: HOST_ADMINISTRATION,
  errors: ["EnvironmentUnknown", "ImageDamaged"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: OneEnvironment,
  result: EnvironmentDetail
})

export const environmentRemove = unary({
  name: "env.rm",
  summary: "Remove environments from this host",
  description:
    "Removes images and their templates, or nothing if it does not know one of the names. pyro builds an environment of the catalogue again when it is next used. An environment " +
    "of yours is lost: build, pull or import it again. Workspaces keep the image that they started from.",
  cli: { path: ["env", "rm"], args: ["environments"], examples: ["pyro env rm debian:13", "pyro env rm web lint"] },
  mcp: HOST_ADMINISTRATION,
  errors: ["EnvironmentBuildFailed", "EnvironmentUnknown", "ImageDamaged"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() =>
    Schema.Struct({
      environments: list(text("Name of an environment")).annotate({
        description: "Names of environments, as `pyro env list` prints them"
      })
    })
  ),
  result: Removed
})

export const environmentPrune = unary({
  name: "env.prune",
  summary: "Remove unused images, templates and seed images",
  description:
    "Removes images, kernels and templates of older recipes and of interrupted builds. Also removes copies of projects that no " +
    "workspace uses; the next workspace of the project copies the project again.",
  cli: { path: ["env", "prune"], args: [], examples: ["pyro env prune"] },
  mcp: HOST_ADMINISTRATION,
  errors: ["EnvironmentBuildFailed", "ImageDamaged"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: Removed
})
