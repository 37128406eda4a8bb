import { applyDiff, type ApplyPatchOperation, type ApplyPatchResult, type Editor, UserError } from "@openai/agents"
import type { Files } from "pyro/promises"

type Operation<Type extends ApplyPatchOperation["type"]> = Extract<ApplyPatchOperation, { type: Type }>

/** Files of a session for patches in the format V4A. */
export interface EditedFiles {
  readonly files: Files
  readonly user: string | undefined
  readonly pathOf: (path: string) => string
  readonly readText: (path: string) => Promise<string>
}

/** An editor of the files of a workspace. */
export const editorOf = ({ files, pathOf, readText, user }: EditedFiles): Editor => ({
  async createFile({ diff, path }: Operation<"create_file">): Promise<ApplyPatchResult> {
    const target = pathOf(path)
    if (await files.exists(target, { user })) {
      throw new UserError(`Cannot create file because it already exists: ${path}`)
    }
    await files.write(target, applyDiff("", diff, "create"), { user })
    return {}
  },
  async updateFile({ diff, moveTo, path }: Operation<"update_file">): Promise<ApplyPatchResult> {
    const source = pathOf(path)
    const target = pathOf(moveTo ?? path)
    const text = applyDiff(await readText(source), diff)
    const mode = (await files.stat(source, { user }))?.mode
    await files.write(target, text, { user, mode })
    if (target !== source) await files.remove(source, { user })
    return {}
  },
  async deleteFile({ path }: Operation<"delete_file">): Promise<ApplyPatchResult> {
    await files.remove(pathOf(path), { user })
    return {}
  }
})
