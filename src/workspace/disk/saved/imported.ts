import { Effect, Schema } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { firstIssue } from "../../../contract/errors/issue.ts"
import type { NextStep } from "../../../contract/errors/next-step.ts"
import { named } from "../../../contract/text/names.ts"
import { printable } from "../../../contract/text/printable.ts"
import type { GuestImages } from "../../../lib/vm/model/guest.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { encodeState, noStates } from "../../entry/resident.ts"
import type { Saved } from "../../life/records/saved.ts"
import { execKind } from "../../residents/exec/resident.ts"
import { filesIssue, Manifest } from "./manifest.ts"

/** The error of a file that is no whole and harmless snapshot. Its text may have words of the file. */
export const wrong = (detail: string, next: ReadonlyArray<NextStep> = []) =>
  new InvalidRequest({ field: "source_path", detail: printable(detail), next })

/** Checks a manifest, field by field. */
export const readManifest = (json: unknown): Effect.Effect<Manifest, InvalidRequest> =>
  Effect.gen(function*() {
    const manifest = yield* Effect.mapError(Schema.decodeUnknownEffect(Manifest)(json), (error) => {
      const { message, path } = firstIssue(error)
      return wrong(
        `its manifest is wrong at "${path.map(String).join(".")}": ${message.split("\n", 1)[0]!.slice(0, 200)}`
      )
    })
    const issue = filesIssue(manifest)
    return issue === undefined ? manifest : yield* wrong(issue)
  })

/** Programs of the memory, each as a command without output so far. */
const residentsOf = ({ commands }: NonNullable<Manifest["memory"]>) =>
  named([[execKind.key, encodeState(execKind, commands.map((start) => ({ start, segments: [] })))] as const])

/** The record of an imported snapshot: the sizes and texts of the manifest, the images of this host. */
export const recordOf = (
  manifest: Manifest,
  { createdAt, diskOnly, id, images, name, project }: {
    readonly createdAt: string
    readonly diskOnly: boolean
    readonly id: string
    readonly images: GuestImages
    readonly name: string
    readonly project: string | undefined
  }
): Saved["record"] => {
  const { cwd, diskMib, driver, env, image, layers, memoryMib, takenAtMs, user, vcpuCount, workspaceUser } = manifest
  const own = driver === "firecracker" ? { driver } : {}
  const memory = diskOnly ? undefined : manifest.memory
  return {
    format: 1,
    id,
    name,
    createdAt,
    hostBoot: hostBootId(),
    durable: false,
    hasNetwork: manifest.hasNetwork,
    ...(manifest.hadSecrets ? { hadSecrets: true } : {}),
    workspace: {
      ...own,
      environment: { name: images.environment.name, digest: images.environment.digest },
      vcpuCount,
      memoryMib,
      diskMib,
      workspaceUser,
      ...(user === undefined ? {} : { user }),
      ...(image === undefined ? {} : { image }),
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(project === undefined ? {} : { project })
    },
    captured: {
      takenAtMs,
      layers,
      residents: memory === undefined ? noStates : residentsOf(memory),
      ...(memory === undefined ? {} : {
        memory: {
          identity: memory.identity,
          pauseMs: memory.pauseMs,
          spec: {
            ...own,
            accelerator: memory.identity.accelerator,
            vcpuCount,
            memoryMib,
            tscKhz: memory.identity.tscKhz,
            environment: { digest: images.environment.digest, imagePath: images.environment.imagePath },
            kernel: { digest: images.kernel.digest, vmlinux: images.kernel.vmlinux, initrd: images.kernel.initrd }
          }
        }
      })
    }
  }
}
