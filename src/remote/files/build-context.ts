import { Effect } from "effect"
import * as path from "node:path"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { PayloadOf } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { findDevContainer } from "../../lib/seeding/devcontainer.ts"
import { demandReadable } from "../../system/files/caller-places.ts"
import { isDirectory, realPath } from "../../system/files/host-path.ts"
import { sendSource } from "./pack.ts"

type Asked = Pick<PayloadOf<"env.build">, "devcontainer" | "dockerfile"> & Pick<PayloadOf<"workspace.create">, "git">

/** The directory of a build, and the file in it that describes the build. */
const placeOf = ({ devcontainer, dockerfile }: Asked) =>
  Effect.gen(function*() {
    if (dockerfile !== undefined) {
      const real = realPath(dockerfile)
      if (real === undefined) {
        return yield* new InvalidRequest({
          field: "dockerfile",
          detail: `${dockerfile} is not there, or cannot be reached`
        })
      }
      return isDirectory(real)
        ? { field: "dockerfile", directory: real, file: "Dockerfile", isNamed: false } as const
        : { field: "dockerfile", directory: path.dirname(real), file: path.basename(real), isNamed: true } as const
    }
    const { file, project } = yield* findDevContainer(devcontainer!)
    return { field: "devcontainer", directory: project, file: path.relative(project, file), isNamed: true } as const
  })

/** Sends the directory of a Dockerfile or of a devcontainer.json. Ignored files stay here, but for those that describe the build. */
export const sendContext = (pyro: PyroService, asked: Asked) =>
  Effect.gen(function*() {
    const { directory, field, file, isNamed } = yield* placeOf(asked)
    yield* demandReadable(field, directory)
    const { source, spool } = yield* sendSource(pyro, {
      field: "seed_path",
      path: directory,
      git: asked.git,
      includeIgnored: [],
      allowHome: false,
      also: [file, `${file}.dockerignore`, ".dockerignore"]
    })
    return { source, fields: { [field]: isNamed ? `${spool}/${file}` : spool } }
  })
