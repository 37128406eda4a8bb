import { type Cause, Effect, Fiber, Queue, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type { CreatePayload, WorkspaceEvent } from "../../contract/rows/workspace-lifecycle.ts"
import { devContainerOf, environmentNameOf } from "../../environment/devcontainer.ts"
import { Environments } from "../../environment/Environments.ts"
import { noticesTo } from "../environments.ts"
import { buildDevContainer, devContainerAt, planned } from "../images/devcontainer.ts"
import { type Notify, runSteps } from "./lifecycle.ts"

type Create = (payload: CreatePayload) => Stream.Stream<WorkspaceEvent, PyroError>

/** The environment that means "none was named", because the field has a default. */
const UNNAMED = "debian:12"

const demandAlone = ({ fromSnapshot, repoUrl }: CreatePayload) =>
  (repoUrl ?? fromSnapshot) === undefined ? Effect.void : new InvalidRequest({
    field: "devcontainer",
    detail: "excludes a repository's URL and a snapshot: name a directory of this host"
  })

/** The name of the environment, built unless an environment of the same files has it. */
const environmentFor = (
  pyro: PyroService,
  payload: CreatePayload,
  known: Effect.Success<ReturnType<typeof devContainerAt>>,
  notices: Queue.Enqueue<Notice, Cause.Done>
) =>
  Effect.gen(function*() {
    if (payload.environment !== UNNAMED && payload.rebuild !== true) return payload.environment
    const name = payload.environment === UNNAMED ? environmentNameOf(known.place) : payload.environment
    const { inspect } = yield* Environments
    const { key } = yield* planned(known, {})
    const present = yield* Effect.orElseSucceed(inspect(name, { verify: false }), () => undefined)
    const isSame = present?.oci?.devcontainer?.key === key && present.environment !== undefined
    if (isSame && payload.rebuild !== true) return name
    yield* buildDevContainer(
      pyro,
      known,
      { name, buildArgs: {}, allowHosts: payload.allowHosts ?? [], replace: true },
      noticesTo(notices)
    )
    return name
  })

/** Runs the commands of the file. Without them the workspace is not what the file says, so it goes if one fails. */
const completed = (
  pyro: PyroService,
  workspace: WorkspaceInfo,
  steps: Parameters<typeof runSteps>[2],
  notify: Notify
): Effect.Effect<WorkspaceInfo, PyroError> =>
  steps.length === 0
    ? Effect.succeed(workspace)
    : runSteps(pyro, workspace.id, steps, notify).pipe(
      Effect.andThen(pyro.workspace.status({ workspace: workspace.id })),
      Effect.onError(() => Effect.ignore(pyro.workspace.delete({ workspaces: [workspace.id], all: false })))
    )

/**
 * A workspace as a devcontainer.json describes it: its environment is built if it has changed, the project is copied, and the commands of
 * the file run. The network is what the request grants, and nothing of the file.
 */
export const createOfDevContainer = (
  pyro: PyroService,
  payload: CreatePayload & { readonly devcontainer: string },
  create: Create
): Stream.Stream<WorkspaceEvent, PyroError, Environments> =>
  Stream.unwrap(Effect.gen(function*() {
    yield* demandAlone(payload)
    const known = yield* devContainerAt(payload.devcontainer, payload.env)
    const notices = yield* Queue.sliding<Notice, Cause.Done>(64)
    const notify: Notify = (notice) => void Queue.offerUnsafe(notices, notice)
    const work = Effect.gen(function*() {
      const environment = yield* environmentFor(pyro, payload, known, notices)
      const { inspect } = yield* Environments
      const { oci } = yield* inspect(environment, { verify: false })
      const described = devContainerOf(known.read, known.place, {
        env: oci?.devcontainer?.env ?? oci?.config.env ?? [],
        label: oci?.devcontainer?.label
      })
      for (const message of described.notes) notify({ _tag: "Notice", level: "warning", message })
      const { devcontainer: _file, rebuild: _again, skipCommands, ...rest } = payload
      let made: WorkspaceInfo | undefined
      yield* create({
        ...rest,
        environment,
        seedPath: payload.seedPath ?? known.found.project,
        env: { ...described.env, ...payload.env },
        cwd: payload.cwd ?? described.cwd
      }).pipe(Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Ready") made = event.workspace
          else notify(event)
        })
      ))
      const steps = skipCommands === true ? [] : [...described.createSteps, ...described.startSteps]
      return yield* completed(pyro, made!, steps, notify)
    })
    const done = yield* work.pipe(Effect.ensuring(Queue.end(notices)), Effect.forkScoped)
    return Stream.concat(
      Stream.fromQueue(notices),
      Stream.map(
        Stream.fromEffect(Fiber.join(done)),
        (workspace): WorkspaceEvent => ({ _tag: "Ready", workspace })
      )
    )
  }))
