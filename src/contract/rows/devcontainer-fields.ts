import { boolean, hostPath, list, optional, text } from "../text/fields.ts"
import { registryFields } from "./registry-fields.ts"

/** A new workspace as a devcontainer.json describes it, or of the image that a Dockerfile builds. */
export const devContainerFields = () => ({
  dockerfile: optional(
    hostPath(
      "Directory with a Dockerfile, or the Dockerfile. Builds an environment of it, and copies the directory. Excludes `devcontainer`, `repo_url` and `from_snapshot`"
    )
  ),
  devcontainer: optional(
    hostPath(
      "Directory of a project with a devcontainer.json, or that file. Builds its environment, copies the project, and runs its commands. Excludes `repo_url`"
    )
  ),
  rebuild: optional(
    boolean(
      "Build the environment of `devcontainer` again, also without a change of its devcontainer.json. Default: false"
    )
  ),
  skipCommands: optional(
    boolean("Do not run the commands of `devcontainer`, also not at a later start. Default: false")
  ),
  forwardPorts: optional(
    boolean("Publish the ports that `devcontainer` forwards, each on a free port of this host. Default: false")
  ),
  allowRegistries: optional(
    list(text("Name of a registry")).annotate({
      description:
        "Registry that the files of `devcontainer` or `dockerfile` may name beside the well-known ones: HOST[:PORT], localhost:PORT of this host, or localhost/NAME of an environment of this host. The programs of the build can reach it, those of the workspace cannot. Default: none"
    })
  ),
  ...registryFields()
})
