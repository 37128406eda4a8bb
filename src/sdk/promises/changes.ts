import type { Cancel } from "./common.ts"
import type {
  DiffFields,
  DiffResult,
  ExportFields,
  ExportResult,
  ImportFields,
  ImportResult,
  PatchApplied,
  PatchFields,
  PushFields,
  PushResult
} from "./shapes.ts"

/** What changes in a workspace, and what crosses between it and the host, as a part of `Workspace`. */
export interface WorkspaceChanges {
  /**
   * Changes of /workspace since create.
   *
   * @example
   * const { files, patch } = await ws.diff()
   */
  readonly diff: (options?: DiffFields & Cancel) => Promise<DiffResult>
  /**
   * Applies a whole patch to /workspace, or nothing.
   *
   * @example
   * await ws.patch("--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n")
   */
  readonly patch: (patch: string | Uint8Array, options?: PatchFields & Cancel) => Promise<PatchApplied>
  /**
   * Copies a file or a directory of the guest to a path of the host. A relative host path is relative to this program's directory.
   *
   * @example
   * await ws.files.write("report.txt", "fine")
   * await ws.export("report.txt", "./report.txt", { overwrite: true })
   */
  readonly export: (path: string, output: string, options?: ExportFields & Cancel) => Promise<ExportResult>
  /**
   * Copies a file or a directory of the host to a path of the guest, and replaces files there. A diff shows the copies in /workspace as changes.
   * A path of a directory, or one that ends with `/`, gets the copy under its own name. For content in memory or a stream: `files.write`.
   *
   * @example
   * await ws.files.write("data.txt", "fine")
   * await ws.export("data.txt", "./data.txt", { overwrite: true })
   * const { bytes } = await ws.import("./data.txt", "/etc/data.txt")
   */
  readonly import: (sourcePath: string, path: string, options?: ImportFields & Cancel) => Promise<ImportResult>
  /**
   * Copies what has changed in a directory of the host since create or the last push to /workspace, or to `dest` in it. A diff leaves out what
   * was pushed. A file that was changed in the workspace as well is a conflict, and stays unless `force` is set.
   *
   * @example
   * const { filesPushed, conflicts } = await ws.push(".")
   */
  readonly push: (sourcePath: string, options?: PushFields & Cancel) => Promise<PushResult>
}
